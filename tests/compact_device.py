"""One column of the reference device and its compact model, extracted once for all tests that import them."""

from functools import cache

from otjdd.case.case import load_case
from otjdd.compact_models.build import compact
from otjdd.waveform import shapes
from otjdd.waveform.waveform import concatenate

RANGE = -4.3, 3.0  # V


@cache
def written_case():
    """One column of the reference device that has been reset and half set."""
    history = {"history": [{"voltage": "-4.3 V", "duration": "100 ms"}, {"voltage": "2.2 V", "duration": "30 ns"}]}
    return load_case("li2019", {"columns.count": 1, "columns.spread": {}, "ions.initial": history})


@cache
def extracted_model():
    """Its compact model, with the error that it was measured to have."""
    return compact(written_case(), voltage=RANGE, workers=2)


def pulses(*heights, width=1e-6, rest=1e-5):
    """Pulses [V] of a width [s], each with a read at 0.1 V and a rest."""
    return concatenate(
        shapes.pulse(height, width).then(shapes.read(0.1, 1e-6)).then(shapes.hold(0.0, rest)) for height in heights
    )
