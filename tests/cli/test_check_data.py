"""otjdd check of a file of data: what it says, draws and refuses."""

import numpy as np
import pytest
from commands import otjdd
from PIL import Image


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    V = np.round(np.concatenate([np.arange(31), np.arange(29, -31, -1), np.arange(-29, 1)]) * 0.05, 3)
    current = 0.02 * np.sinh(5 * V) + rng.standard_normal(len(V))
    rows = [f"{v:.3f};{i:.5g}".replace(".", ",") for v, i in zip(V, current, strict=True)]
    (tmp_path / "sweep.csv").write_text("\n".join(["% a sweep", "V [V];I [nA]", *rows]), encoding="utf-8")
    (tmp_path / "bad.csv").write_text("V,I\n1,2\n2,two\n", encoding="utf-8")
    return tmp_path


def check(folder, *words):
    return otjdd(folder, "check", *words)


def test_what_was_understood_is_said_and_drawn(folder):
    done = check(folder, "sweep.csv", "--plot", "sweep.png", "--range", "V=-1.5 V:1.4 V", "--skip", "3-4")
    assert (done.returncode, done.stderr) == (0, "")
    for said in ("'I [nA]' is current, written in nA", "a decimal comma", "noise floor", "3 branches", "-1.5 to 1.4 V"):
        assert said in done.stdout
    with Image.open(folder / "sweep.png") as picture:
        assert picture.width > 600


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bad.csv"], 3, "bad.csv:3:3: expected a number of current, got 'two'"),
        (["sweep.csv", "--column", "current"], 2, "expected QUANTITY=HEADER"),
        (["sweep.csv", "--skip", "a-b"], 2, "expected FIRST-LAST"),
        (["sweep.csv", "--range", "V=1"], 2, "it has no colon"),
        (["sweep.csv", "--set", "a=b"], 2, "has no keys"),
        (["rv-loop", "--plot", "a.png"], 2, "is a case"),
        (["none.csv"], 5, "none.csv"),
    ],
)
def test_what_cannot_be_used_is_told(folder, words, code, said):
    done = check(folder, *words)
    assert done.returncode == code, done.stderr
    assert said in " ".join(done.stderr.replace("│", " ").split()), done.stderr
