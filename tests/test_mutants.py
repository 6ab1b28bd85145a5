"""Mutated case files and waveforms: each is accepted, or refused with a message, in little memory.

A mutant is a shipped case or a waveform with bytes flipped, removed or doubled, lines swapped, or pieces of other cases and
of awkward texts inserted. All mutants are read by one process, as in a service that checks cases.
"""

import random
import resource
import sys

import pytest
from any_device import DRIVES, any_device, curve, small_signal, text_of

from otjdd.case.case import load_case, shipped_cases
from otjdd.errors import CaseError, ResultError
from otjdd.runs.run import check_inputs

AWKWARD = [
    *("nan", "inf", "-inf", "1e400", "-0", "1e-400", "9" * 400, "0x10", "1_000", "true", "[]", "{}", '""', "''", '"""'),
    *("[[", "]]", "{", "}", "=", "#", "\\", "\\u0000", "\0", "\r", "\ufeff", "\u2028", "é", "٣", "💥", "\x1b[31m"),
    *('"1 nm"', '"-1 V"', '"1e9 s"', '"1e30 1/m^3"', '"1 nm^9999"', '"1/"', '"%s"', '"../../x"', '"/dev/zero"'),
    *(
        "10**10**10",
        "__import__('os')",
        "!!python/object",
        "base = 'li2019.toml'",
        "[study]",
        "kind = 'iv'",
        "a.b.c = 1",
    ),
]


def mutant(rng: random.Random, texts: list[str]) -> bytes:
    """One of the texts, with one to six mutations."""
    data = bytearray(rng.choice(texts).encode())
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        at, length = rng.randrange(len(data) + 1), min(rng.choice((1, 2, 8, 40)), len(data))
        match rng.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length] * rng.choice((1, 2, 50))
            case 3:
                data[at:at] = rng.choice(AWKWARD).encode()
            case 4:
                words = data.split(b" ")
                words[rng.randrange(len(words))] = rng.choice(AWKWARD).encode()
                data = bytearray(b" ".join(words))
            case 5:
                lines = data.split(b"\n")
                rng.shuffle(lines) if rng.random() < 0.2 else lines.append(rng.choice(lines))
                data = bytearray(b"\n".join(lines))
            case 6:
                lines = rng.choice(texts).encode().split(b"\n")
                data += b"\n" + rng.choice(lines)
    return bytes(data)


def corpus() -> list[str]:
    """Texts for mutants: shipped cases, and random devices with drives of all kinds."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(shipped_cases().glob("*.toml"))]
    drives = (*DRIVES, small_signal, curve)
    return texts + [text_of(any_device(seed, "mutants", drives=drives)) for seed in range(12)]


WAVEFORMS = [
    "t [us],V [mV]\n0,0\n1,100\n1,0\n2.5,0\n",
    "# a comment\n0;0\n1e-6;1.5\n2e-6;1.5\n",
    "time (s)\tvoltage (V)\n0\t0\n1\t1\n",
    "0 0\n1 1\n2 -1\n",
]


def peak() -> float:
    """Largest memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


@pytest.mark.campaign
def test_a_mutant_is_accepted_or_refused_with_a_message(tmp_path):
    texts, accepted, refused, before = corpus(), 0, 0, peak()
    (tmp_path / "table.toml").write_text('base = "li2019.toml"\ndrive = { kind = "table", file = "mutant.csv" }\n')
    for k in range(600):
        rng = random.Random(f"7/{k}")
        path = tmp_path / ("mutant.toml" if k % 3 else "table.toml")  # every third one is a waveform
        (tmp_path / ("mutant.toml" if k % 3 else "mutant.csv")).write_bytes(mutant(rng, texts if k % 3 else WAVEFORMS))
        try:
            check_inputs(load_case(path), str(path))
            accepted += 1
        except (CaseError, ResultError) as error:
            refused += bool(str(error))
    assert accepted + refused == 600
    assert min(accepted, refused) > 50
    assert peak() - before < 300
