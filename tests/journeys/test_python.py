"""The same in Python: results and measured arrays through metrics, fits, figures and tables."""

import numpy as np
import pandas as pd
import pytest
from walk import drawn

import otjdd

SMALL = {"columns.count": 1, "columns.spread": {}, "device.film.cells": 12, "circuit.series_resistance": "0 ohm"}


def test_a_result_and_the_same_numbers_as_measured_arrays_give_the_same_metrics(folder):
    ds = otjdd.run("ltp-ltd", SMALL | {"drive.repeat": 2})
    otjdd.write(ds, "train.nc")
    assert otjdd.read("train.nc").read_resistance.equals(ds.read_resistance)
    measured = otjdd.measured(read_resistance=ds.read_resistance.values, write_voltage=ds.write_voltage.values)
    numbers = ds.otjdd.metrics("potentiation")
    assert otjdd.synapse.potentiation(measured) == pytest.approx(numbers, nan_ok=True)
    conductance = 1 / ds.read_resistance.values[-40:]
    shape = otjdd.plasticity.nonlinearity(conductance[:20], conductance[20:])
    assert shape["up"] > 0  # saturates
    ds.otjdd.to_csv("reads.csv")
    assert pd.read_csv("reads.csv")["read_resistance (ohm)"].to_numpy() == pytest.approx(ds.read_resistance.values)
    ds.otjdd.figure().savefig("train.png")
    assert drawn("train.png")
    assert len(ds.otjdd.reads.read) == 80


def test_data_of_a_file_an_array_and_a_frame_are_the_same_data(folder):
    frame = pd.DataFrame({"V (V)": [0.1, 0.2, 0.3], "I (nA)": [1.0, 2.0, 4.0]})
    frame.to_csv("iv.csv", index=False)
    of_file, of_frame = otjdd.read_data("iv.csv"), otjdd.read_data(frame)
    of_arrays = otjdd.read_data({"V": [0.1, 0.2, 0.3], "I": [1e-9, 2e-9, 4e-9]})
    for ds in (of_frame, of_arrays):
        assert np.allclose(ds.current, of_file.current, rtol=1e-12, atol=0)
    assert of_file.current.attrs["units"] == "A"


def test_faults_are_exceptions_with_all_their_lines(folder):
    (folder / "bad.toml").write_text('base = "li2019.toml"\n[device.film]\nthickness = "3 V"\ncells = 4\n')
    with pytest.raises(otjdd.CaseError) as caught:
        otjdd.run("bad.toml")
    assert [problem.line for problem in caught.value.problems] == [3, 4]
    with pytest.raises(otjdd.SolverError) as failed:
        otjdd.run("li2019", SMALL | {"numerics.max_steps": 5})
    assert failed.value.partial.sizes["time"] > 1
    with pytest.raises(otjdd.ResultError):
        otjdd.read("bad.toml")
