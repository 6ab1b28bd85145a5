"""A fit's file that was never one: every part that is missing or of another shape is told, before it is used."""

import json

import numpy as np
import pytest
import xarray as xr

from otjdd.errors import ResultError
from otjdd.fitting import result
from otjdd.results import store

ROW = {
    "key": "temperature",
    "dimension": "temperature",
    "low": "200",
    "high": "400",
    "log": False,
    "start": 300.0,
    "data": None,
}
CURVE = {
    "label": "r",
    "data": 0,
    "quantity": "resistance",
    "axis": "point",
    "scale": ["linear", 1.0],
    "uncertainty": "given",
}
ATTRIBUTES = {
    "fit": result.KIND, "parameters": json.dumps([ROW]), "curves": json.dumps([CURVE]), "title": "fit", "warnings": "",
    "reduced_chi_square": 1.0, "errors_scaled": 0, "case_resolved": "", "ended": "", "solver_noise": 0.0, "evaluations": 1,
    "jacobians": 1, "chi_square": 1.0,
}  # fmt: skip
SIZES = {"parameter": 1, "other": 1, "point": 3}
WRONG = {
    "no parameters": lambda ds: ds.assign_attrs(parameters="[]"),
    "deep parameters": lambda ds: ds.assign_attrs(parameters="[" * 10000),
    "a number for rows": lambda ds: ds.assign_attrs(parameters=3.0),
    "a row of other keys": lambda ds: ds.assign_attrs(parameters='[{"x": 1}]'),
    "a scale of nothing": lambda ds: ds.assign_attrs(curves='[{"scale": 7}]'),
    "no curves": lambda ds: ds.assign_attrs(curves="[]"),
    "a spread in words": lambda ds: ds.assign_attrs(errors_spread="wide"),
    "no values": lambda ds: ds.drop_vars("value"),
    "values of points": lambda ds: ds.assign(value=("point", np.zeros(3))),
    "values in words": lambda ds: ds.assign(value=("parameter", ["x"])),
    "a Jacobian the other way": lambda ds: ds.assign(jacobian=(("parameter", "point"), np.zeros((1, 3)))),
    "no title": lambda ds: ds.assign_attrs({"title": ""}).drop_attrs(deep=False).assign_attrs(fit=result.KIND),
}


def fitted():
    rows = {name: (dims, np.zeros([SIZES[d] for d in dims])) for name, dims in result.SHAPES.items()
            if name not in result.OPTIONAL}  # fmt: skip
    coords = {"parameter": ["temperature"], "other": ["temperature"], "unit": ("parameter", ["K"])}
    return xr.Dataset(rows, coords, ATTRIBUTES)


def test_a_whole_fit_is_read(tmp_path):
    store.write(fitted(), tmp_path / "found.nc")
    assert result.parameters_of(result.read_fit(tmp_path / "found.nc"))[0].key == "temperature"


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_fit_is_refused_in_words(tmp_path, name):
    store.write(WRONG[name](fitted()), tmp_path / "found.nc")
    with pytest.raises(ResultError, match="is no whole fit"):
        result.read_fit(tmp_path / "found.nc")
