"""The file of a compact model: a Dataset with its tables and columns at each node, its noise and its error.

Checks of the numbers of a compact model from a file: a junction must be able to have them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from otjdd.compact_models.axes import MOST_AXES, TEMPERATURE, ModelAxis, node_counts, points
from otjdd.compact_models.tables import (
    DeviceSpread,
    ModelNoise,
    NoiseTables,
    Range,
    SelfHeating,
    Tables,
    check_tables,
    stays,
)
from otjdd.errors import NotAsExpected, ResultError
from otjdd.results import store
from otjdd.results.store import COMPANIONS
from otjdd.system.late import xr
from otjdd.units import DIMENSIONS, plain_unit

FEWEST_KNOTS = 3  # as a parabola needs
SUM = 1e-6  # allowed difference of the sum of the shares of the area from 1

NumberRule = tuple[str, Callable[[np.ndarray], np.ndarray]]
POSITIVE: NumberRule = ("a number above 0", lambda value: value > 0.0)
NOT_NEGATIVE: NumberRule = ("a number of at least 0", lambda value: value >= 0.0)
SHARE: NumberRule = ("a share from 0 to 1", lambda value: (value >= 0.0) & (value <= 1.0))
NUMBER_RULES = {
    "resistance": NOT_NEGATIVE, "temperature": POSITIVE, "thickness": POSITIVE, "area": POSITIVE,
    "speed": POSITIVE, "weight": NOT_NEGATIVE, "emptying": POSITIVE,
    "way": SHARE,
    "unsettled": SHARE, "share": SHARE, "shortest": POSITIVE, "longest": POSITIVE, "electron_ratio": NOT_NEGATIVE,
}  # fmt: skip


def check_model(
    kinds: tuple[Tables, ...], columns: dict[str, np.ndarray], numbers: dict[str, float], limits: Range
) -> None:
    """Raise NotAsExpected for numbers that no junction has.

    columns : kind, speed, weight, start and unsettled (K,)   numbers : resistance, temperature, thickness and area
    """
    for tables in kinds:
        check_tables(tables)
        check_rules({name: getattr(tables, name) for name in ("emptying", "way", "electron_ratio", "share")})
        for name in ("voltage", "state", "conductance_voltage"):
            if getattr(tables, name).size < FEWEST_KNOTS and not (name == "state" and stays(tables)):
                raise NotAsExpected(f"{FEWEST_KNOTS} knots of the {name} at least", str(getattr(tables, name).size))
        if (tables.charge[-1] < tables.charge[0]).any():
            raise NotAsExpected("a charge of the left terminal that rises with the voltage", "one that falls")
    check_rules(
        numbers | limits._asdict() | {name: columns[name] for name in ("speed", "weight", "start", "unsettled")}
    )
    if not (limits.low < limits.high and limits.shortest <= limits.longest):
        raise NotAsExpected("a range of voltages and one of times", str(limits))
    kind = columns["kind"]
    if len({values.shape for values in columns.values()}) > 1:
        raise NotAsExpected(
            "a kind, speed, weight, start and unsettled share of each column", "lists of different length"
        )
    if not (kind.size and np.isin(kind, np.arange(len(kinds))).all()):
        raise NotAsExpected(f"columns of the kinds 0 to {len(kinds) - 1}", np.array2string(kind, threshold=8))
    if abs(columns["weight"].sum() - 1.0) > SUM:
        raise NotAsExpected("shares of the area whose sum is 1", f"{columns['weight'].sum():g}")
    ends = np.array([(tables.state[0], tables.state[-1]) for tables in kinds])[kind.astype(int)]
    if not ((columns["start"] >= ends[:, 0] - SUM) & (columns["start"] <= ends[:, 1] + SUM)).all():
        raise NotAsExpected("columns that begin within the states of their tables", "one that does not")


def check_rules(values: Mapping[str, ArrayLike]) -> None:
    """Raise NotAsExpected for a number that is not finite, or that breaks its rule."""
    for name, value in values.items():
        expected, rule = NUMBER_RULES.get(name, ("a number", np.isfinite))
        wrong = ~(np.isfinite(value) & rule(np.asarray(value)))
        if np.any(wrong):
            raise NotAsExpected(f"{expected} for {name}", f"{np.atleast_1d(value)[np.atleast_1d(wrong)][0]:g}")


AnyModel = Any  # CompactModel, whose module reads and writes through this one

KIND = "compact model"
TABLE_TEXT = {
    "table_voltage": ("kind knot", "V", "junction voltage of the knots"),
    "table_state": ("kind position", "1", "state of the knots: where the vacancies relax, in thicknesses"),
    "table_rest": ("kind knot", "1", "state that a voltage leads to"),
    "table_way": ("kind direction", "1", "fraction of the vacancies that fills the way: states that rise, that fall"),
    "table_emptying": ("kind", "s", "time in which the way empties at rest"),
    "table_log_rate": ("kind knot position", "1", "log10 of the relaxation rate in 1/s that hops allow, at speed 1"),
    "table_log_limit": ("kind knot position", "1", "log10 of the rate in 1/s that no column exceeds"),
    "table_conductance_voltage": ("kind read_knot", "V", "junction voltage of the knots of the conductance"),
    "table_log_conductance": ("kind read_knot position", "1", "log10 of the chord conductance in S, of the whole area"),
    "table_charge": (
        "kind read_knot position",
        "C m^-2",
        "charge of the left terminal, of a column that is the whole area",
    ),
    "table_electron_ratio": ("kind read_knot", "1", "largest film_electron_ratio of any state"),
    "table_share": (
        "kind share",
        "1",
        "fraction of the vacancies of a film that was never written which has not settled",
    ),
    "table_log_settling": ("kind knot share", "1", "log10 of the rate in 1/s at which that share settles, at speed 1"),
    "table_settling_move": ("kind knot share", "1", "change of the state by a share that settles"),
    "table_excess": ("kind knot share", "1", "log10 of the conductance that a share of 1 adds"),
    "column_kind": ("column", "1", "number of the tables that a column follows"),
    "column_speed": ("column", "1", "factor of the rates of a column"),
    "column_weight": ("column", "1", "fraction of the area"),
    "column_start": ("column", "1", "state that the case begins with"),
    "column_unsettled": ("column", "1", "share that has not settled at the beginning of the case"),
}
NODE_NUMBERS = {
    "node_temperature": ("node", "K", "temperature of a node"),
    "node_thickness": ("node", "m", "thickness of the film at a node"),
}
NODE = "node_"  # numbers at the nodes of several axes: as those above, and one dimension more
PLAIN_KEY = re.compile(r"[A-Za-z]\w*(\[\d+\])?(\.[A-Za-z]\w*(\[\d+\])?)*", re.ASCII)
AXES = [f"axis_{n}" for n in range(MOST_AXES)]  # the values of an axis; attributes: its key, dimension and own value
NOISE, COVARIANCE = "noise_", "noise_covariance"
NOISE_TEXT = {
    "noise_voltage": ("kind noise_knot", "V", "junction voltage of the knots of the noise"),
    "noise_state": ("kind position", "1", "state of these knots, in thicknesses"),
    "noise_log_scatter": (
        "kind noise_knot position",
        "1",
        "log10 of phi, the noise of crossings over the noise of lone ions",
    ),
    "noise_ions": ("kind", "1", "number of ions of a column that is the whole area"),
    "noise_log_read": ("kind position", "1", "log10 of the variance of ln G of reads at one state, times the ions"),
    "noise_log_white": (
        "kind noise_knot position",
        "1",
        "log10 of the white level in 1/Hz of the spectrum of ln G at one state, times the ions, at speed 1",
    ),
    "noise_log_corner": (
        "kind noise_knot position",
        "1",
        "log10 of the frequency in Hz above which that spectrum falls, at speed 1",
    ),
}
TEXT = TABLE_TEXT | NOISE_TEXT
NODE_TEXT = NODE_NUMBERS | {NODE + name: (f"node {dims}", units, title) for name, (dims, units, title) in TEXT.items()}
COLUMNS = "kind", "speed", "weight", "start", "unsettled"

GRIDS = {
    "knot": "voltage",
    "noise_knot": "voltage",
    "position": "state",
    "read_knot": "conductance_voltage",
    "share": "share",
}  # dimension -> the table that spans it


def dataset_of_model(model: AnyModel) -> "xr.Dataset":
    """A model as a Dataset. Tables of different numbers of knots are filled up with nan."""
    if any(model.differences.values()):
        raise NotAsExpected("a model, to keep in a file", "a device drawn from one")
    arrays = arrays_of_model(model)
    if model.nodes:
        of_nodes = [arrays_of_model(node) for node in model.nodes]
        arrays |= {NODE + name: np.array([of_node[name] for of_node in of_nodes]) for name in of_nodes[0]}
        for name in NODE_NUMBERS:
            arrays[name] = np.array([getattr(node, name.removeprefix(NODE)) for node in model.nodes])
    named: dict[str, Any] = {
        name: (
            [name], np.array(axis.values),
            {
                "units": plain_unit(axis.dimension), "long_name": f"values of {axis.key} that the model was extracted at",
                "key": axis.key, "dimension": axis.dimension, "own": own,
            },
        )
        for name, axis, own in zip(AXES, model.axes, model.point, strict=False)
    }  # fmt: skip
    for name, values in arrays.items():
        dims, units, long_name = (TEXT | NODE_TEXT)[name]
        named[name] = dims.split(), np.asarray(values, float), {"units": units, "long_name": long_name}
    numbers = {name: float(getattr(model, name)) for name in ("resistance", "temperature", "thickness", "area")}
    limits = {f"range_{name}": float(value) for name, value in model.limits._asdict().items()}
    heat = {} if model.heat is None else {f"heat_{name}": value for name, value in model.heat._asdict().items()}
    attrs = store.format_attributes(KIND) | numbers | limits | heat | model.about
    if model.noise is not None and model.noise.spread is not None:
        covariance, count, source = model.noise.spread
        about: dict[str, Any] = {"units": "1", "long_name": "covariance of ln of the factors of devices"}
        about |= {"devices": count, "source": source}
        named[COVARIANCE] = ["factor", "other_factor"], covariance, about
    ds = xr.Dataset(named, attrs=attrs)
    return ds if model.measured is None else ds.merge(model.measured)


def stored_axes(ds: "xr.Dataset") -> tuple[tuple[ModelAxis, ...], tuple[float, ...]]:
    """Axes of a model in a Dataset, and its own value of each. Raises NotAsExpected, KeyError for a broken file."""
    variables = [ds[name] for name in AXES if name in ds]
    axes = tuple(
        ModelAxis(str(v.attrs["key"]), str(v.attrs["dimension"]), tuple(map(float, v.values))) for v in variables
    )
    own = tuple(float(v.attrs["own"]) for v in variables)
    for axis, value in zip(axes, own, strict=True):
        if axis.dimension not in ("", *DIMENSIONS) or not PLAIN_KEY.fullmatch(axis.key):
            raise NotAsExpected("an axis with key and dimension of a number of a case", f"{axis.key}, {axis.dimension}")
        if not (np.diff(axis.values).min(initial=1.0) > 0.0 and value in axis.values):
            raise NotAsExpected(f"ascending values of {axis.key}, {value:g} among them", str(axis.values))
    return axes, own


def arrays_of_model(model: AnyModel) -> dict[str, np.ndarray]:
    """Name of a variable -> tables or columns of a model at its own node."""
    arrays = {
        f"table_{name}": filled_up([np.asarray(getattr(kind, name)) for kind in model.kinds]) for name in Tables._fields
    }
    if model.noise is not None:
        arrays |= {
            NOISE + name: filled_up([np.asarray(getattr(kind, name)) for kind in model.noise.kinds])
            for name in NoiseTables._fields
        }
    return arrays | {f"column_{name}": getattr(model, name) for name in COLUMNS}


def filled_up(arrays: list[np.ndarray]) -> np.ndarray:
    """Arrays of different sizes as one array, filled up with nan."""
    shape = np.max([array.shape for array in arrays], axis=0)
    out = np.full((len(arrays), *shape), np.nan)
    for i, array in enumerate(arrays):
        part: tuple[Any, ...] = (i, *map(slice, array.shape))
        out[part] = array
    return out


def model_in_dataset(ds: "xr.Dataset", path: str | Path, model: type[AnyModel]) -> AnyModel:
    """The model, of a class, in a Dataset that was read from a path. Raises ResultError."""
    store.check_kind(ds, path, KIND, "extract one by `otjdd compact`")
    try:
        limits = Range(*(float(ds.attrs[f"range_{name}"]) for name in Range._fields))
        numbers = {name: float(ds.attrs[name]) for name in ("resistance", "temperature", "thickness", "area")}
        of_case = at_one_node(ds, numbers, limits, model)
        heat = [float(ds.attrs[f"heat_{name}"]) for name in SelfHeating._fields if f"heat_{name}" in ds.attrs]
        if heat:
            check_rules({"resistance": heat[0], "longest": heat[1]})
        axes, point = stored_axes(ds)
        names = {NODE + name: name for name in TEXT if NODE + name in ds}  # those of a model without axes
        nodes = tuple(
            at_one_node(
                ds[list(names)].isel(node=n).rename(names),
                numbers | {name.removeprefix(NODE): float(ds[name][n]) for name in NODE_NUMBERS},
                limits,
                model,
            )
            for n in range(ds.sizes.get("node", 0))
        )
        check_nodes(of_case, nodes, axes)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ResultError(path, f"is not a whole compact model ({error})") from error
    own_names = {*store.format_attributes(KIND), *numbers, "format", "data_sha256", COMPANIONS}
    own_names |= {f"range_{name}" for name in Range._fields} | {f"heat_{name}" for name in SelfHeating._fields}
    about = {name: value for name, value in ds.attrs.items() if name not in own_names}
    others = [name for name in ds.variables if name not in {*TEXT, *NODE_TEXT, *AXES, COVARIANCE}]
    measured = ds[others].assign_attrs({}) if {"error_rms", "sigma_solver"} & set(ds.variables) else None
    warm = SelfHeating(*heat) if heat else None
    return replace(of_case, about=about, measured=measured, nodes=nodes, axes=axes, point=point, heat=warm)


def at_one_node(ds: "xr.Dataset", numbers: dict[str, float], limits: Range, model: type[AnyModel]) -> AnyModel:
    """The model at one node from the tables in a Dataset. Raises KeyError, ValueError, others for a broken file."""
    kinds = tuple(Tables(**unpadded(ds, "table_", Tables._fields, number)) for number in range(ds.sizes["kind"]))
    columns = {name: ds[f"column_{name}"].values for name in COLUMNS}
    check_model(kinds, columns, numbers, limits)
    columns["kind"] = columns["kind"].astype(np.int64)
    parts: dict[str, Any] = columns | numbers
    return model(kinds, **parts, limits=limits, noise=stored_noise(ds) if NOISE + "ions" in ds else None)


def check_nodes(model: AnyModel, nodes: tuple[AnyModel, ...], axes: tuple[ModelAxis, ...]) -> None:
    """Raise NotAsExpected unless there is a node for each combination of values of the axes, with the knots of the model,
    and one node has the tables of the model itself.
    """
    at = points(axes) if axes else []
    if len(nodes) != len(at):
        raise NotAsExpected(f"{len(at)} nodes, as the axes have", str(len(nodes)))
    every = [
        [values for tables in kinds for values in tables] for kinds in (model.kinds, *(node.kinds for node in nodes))
    ]
    if nodes and not any(all(map(np.array_equal, every[0], others)) for others in every[1:]):
        raise NotAsExpected("a node with the tables of the model itself", "others at all nodes")
    for node in nodes:
        for first, second in zip(node.kinds, model.kinds, strict=True):
            for name in ("voltage", "conductance_voltage"):
                if not np.array_equal(getattr(first, name), getattr(second, name)):
                    raise NotAsExpected(f"the same knots of the {name} at all nodes", "others")
    if not axes or axes[0].key != TEMPERATURE:
        return
    if [node.temperature for node in nodes] != [point[0] for point in at]:
        raise NotAsExpected("nodes at the temperatures of their axis", "others")
    rates = np.array([[tables.log_rate.mean() for tables in node.kinds] for node in nodes])
    if np.diff(rates.reshape(*node_counts(axes), -1), axis=0).min(initial=0.0) < 0.0:
        raise NotAsExpected("ions that hop faster at a higher temperature", "some that hop more slowly")


def stored_noise(ds: "xr.Dataset") -> ModelNoise:
    """The noise in the Dataset of a noisy model. Raises NotAsExpected, KeyError for a broken file."""
    of_kinds = [NoiseTables(**unpadded(ds, NOISE, NoiseTables._fields, t)) for t in range(ds.sizes["kind"])]
    for tables in of_kinds:
        if not (np.isfinite(tables.log_scatter).all() and np.isfinite(tables.voltage).all()):
            raise NotAsExpected("finite numbers in the table log_scatter", "some that are not")
        if not (np.diff(tables.voltage) > 0.0).all() or tables.voltage.size < 3:
            raise NotAsExpected("3 ascending voltages of the noise or more", str(tables.voltage.size))
        if not (np.isfinite(tables.ions) and tables.ions > 0.0):
            raise NotAsExpected("a number of ions above 0", f"{tables.ions:g}")
    if not all((np.diff(of_kind.state) > 0.0).all() for of_kind in of_kinds):
        raise NotAsExpected("states of the noise that ascend", "some that do not")
    if COVARIANCE not in ds:
        return ModelNoise(tuple(of_kinds))
    about, covariance = ds[COVARIANCE].attrs, ds[COVARIANCE].values
    if not np.array_equal(covariance, covariance.T) or np.diag(covariance).min() < 0.0:
        raise NotAsExpected("a covariance that is symmetric, of variances of at least 0", np.array2string(covariance))
    return ModelNoise(tuple(of_kinds), DeviceSpread(covariance, int(about["devices"]), str(about["source"])))


def unpadded(ds: "xr.Dataset", prefix: str, names: Sequence[str], number: int) -> dict[str, Any]:
    """Name -> table of kind `number` of the columns, without the nan that fill it up. prefix : of the names in the file"""
    by_name = {name: ds[prefix + name].values[number] for name in names}
    whole = {dim: np.isfinite(by_name[grid]) for dim, grid in GRIDS.items() if grid in by_name}
    for name, values in by_name.items():
        dims = TEXT[prefix + name][0].split()[1:]
        finite = np.ix_(*(whole.get(dim, np.ones(size, bool)) for dim, size in zip(dims, values.shape, strict=True)))
        by_name[name] = values[finite] if dims else float(values)
    return by_name
