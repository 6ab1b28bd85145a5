"""Units of the outputs are read by pint and by UDUNITS, and mean what otjdd means."""

import cf_units
import pytest

from otjdd import units
from otjdd.claims import papers
from otjdd.results.outputs import OUTPUTS, dataset

UNITS = sorted({output.unit for output in OUTPUTS.values()} | {units.plain_unit(name) for name in units.DIMENSIONS})


@pytest.fixture(scope="module")
def registry():
    import pint

    return pint.UnitRegistry()


def test_pint_and_udunits_read_a_unit_alike(registry):
    for unit in UNITS:
        by_pint = (1 * registry(unit)).to_base_units() if unit != "1" else 1.0
        by_udunits = cf_units.Unit(unit)
        base = cf_units.Unit(f"{by_pint.units:~C}".replace("**", "^") if unit != "1" else "1")
        assert by_udunits.convert(1.0, base) == pytest.approx(getattr(by_pint, "magnitude", 1.0), rel=1e-6), unit


def test_units_of_metrics_are_read_by_both(registry):
    tables = [papers.all_metrics(folder) for folder in set(papers.discover().values())]
    for metric in (metric for table in tables for metric in table.values()):
        for unit, _ in metric.numbers.values():
            registry(unit)
            cf_units.Unit(unit)


def test_a_result_is_quantified():
    import pint_xarray

    assert pint_xarray.__version__
    ds = dataset({"electrode_charge": [1.0], "read_resistance": [2.0]}, {"time": [0.0]}).pint.quantify()
    assert str(ds.electrode_charge.pint.to("uC/cm^2").pint.magnitude[0]) == "100.0"
