"""A crossbar of 4 x 4 cells on lines with resistance: the same in ngspice, out of subcircuits, and in otjdd."""

import made_model
import numpy as np
import pytest
import simulators

from otjdd.compact_models.crossbars import pulses
from otjdd.compact_models.crossbars.network import Crossbar
from otjdd.compact_models.exports import spice

N, LINE = 4, 300.0  # lines of either kind; ohm, so that the lines take a fifth of the voltage
WRITE, WIDTH, READ = 2.2, 1e-5, 0.1  # V, s, V
CHOSEN = np.zeros((N, N), bool)
CHOSEN[1, [0, 2, 3]] = True
EDGE = 1e-9  # s


def lines() -> list[str]:
    """Cells and pieces of line, from drivers d0 to d3 of the word lines and e0 to e3 of the bit lines."""
    found = []
    for i in range(N):
        for j in range(N):
            found += [
                f"X{i}{j} u{i}{j} w{i}{j} otj charging=0",
                f"Ru{i}{j} {f'u{i}{j - 1}' if j else f'd{i}'} u{i}{j} {LINE}",
                f"Rw{i}{j} {f'w{i - 1}{j}' if i else f'e{j}'} w{i}{j} {LINE}",
            ]
    return found


def source(name: str, write: float, read: float) -> str:
    """A driver: a write, a read of a microsecond."""
    points = [0.0, 0.0, EDGE, write, WIDTH, write, WIDTH + EDGE, read, WIDTH + 1e-6, read]
    return f"V{name} {name} 0 PWL({' '.join(f'{x:.9g}' for x in points)})"


@pytest.mark.campaign
@simulators.needs_ngspice
@pytest.mark.parametrize("scheme", ["half", "third"])
def test_ngspice_writes_and_reads_the_same_crossbar(scheme, tmp_path):
    model = made_model.made_model()
    bar, states = Crossbar(model, N, N, LINE), model.states(N * N)
    written = pulses.write_cells(bar, states, CHOSEN, (WRITE, WIDTH), scheme)
    G = pulses.cell_conductances(bar, states)[CHOSEN]
    assert G.min() > 30.0 * pulses.cell_conductances(bar, states)[~CHOSEN].max()
    assert written.end.voltage[CHOSEN].min() < 0.95 * WRITE
    read = pulses.read_cells(bar, states, 1, (READ, 1e-6))

    (tmp_path / "otj.cir").write_text(spice.subcircuit(model))
    on_words, on_bits = (share * WRITE for share in pulses.SCHEMES[scheme])
    drivers = [source(f"d{i}", WRITE if i == 1 else on_words, READ if i == 1 else 0.0) for i in range(N)]
    drivers += [source(f"e{j}", 0.0 if CHOSEN[1, j] else on_bits, 0.0) for j in range(N)]
    told = [f"meas tran w{j} find i(ve{j}) at={0.999 * WIDTH:.9g}" for j in range(N)]
    told += [f"meas tran r{j} find i(ve{j}) at={WIDTH + 0.999e-6:.9g}" for j in range(N)]
    body = [
        ".include otj.cir", *lines(), *drivers, ".options reltol=1e-5 method=gear",
        f".tran 1n {WIDTH + 1e-6:.9g} 0 50n", ".control", "run", *told, ".endc",
    ]  # fmt: skip
    found = simulators.ngspice(tmp_path, "\n".join(body))
    assert [found[f"w{j}"] for j in range(N)] == pytest.approx(written.end.bit_current, rel=0.01)
    assert [found[f"r{j}"] for j in range(N)] == pytest.approx(read.end.bit_current, rel=0.01)
