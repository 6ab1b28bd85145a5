"""Fits and compact models whose parts are forged one by one under a valid checksum: refused in words, or sound numbers."""

import ast
import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from devices import needs_speed
from typer.testing import CliRunner

from otjdd.case.case import load_case
from otjdd.cli import app
from otjdd.compact_models import build
from otjdd.compact_models.exports import folder as exports
from otjdd.compact_models.exports import pulses
from otjdd.compact_models.model import CompactModel
from otjdd.errors import ResultError
from otjdd.results import store

LOOP = """base = "rv-loop.toml"
title = "a small loop"
columns = { count = 1, spread = {} }
device = { film = { cells = 12, electrons = "none" } }
drive = { path = ["0 V", "2 V", "-4 V", "0 V"], step = "1 V" }
"""
TEXTS = ("\n", "\r", "\u2028", "\x85", "\x1b[31m", "\n* x\n.include y", '"', "'''", "\\", "%s", "{}", "\x00")


def forged(path: Path, rng: random.Random):
    """Write forged.nc beside a result, with a valid checksum and one part missing, text, nan, negative or too short.

    Yields a description of each forgery after it is written.
    """
    whole = store.read(path)
    for name in [*whole.data_vars, *whole.attrs]:
        for way in ("gone", "words", "nan", "negative", "short"):
            changed = (forged_head if name in whole.attrs else forged_array)(whole, name, way, rng)
            if changed is not None:
                store.write(changed, path.with_name("forged.nc"))
                yield f"{name} {way}"


def forged_head(ds, name: str, way: str, rng: random.Random):
    """A Dataset with a forged attribute; None if it cannot be forged in this way."""
    if way == "gone":
        return ds.drop_attrs(deep=False).assign_attrs({key: value for key, value in ds.attrs.items() if key != name})
    if isinstance(ds.attrs[name], str) or way == "words":
        return ds.assign_attrs({name: rng.choice(("[" * 10_000, "{}", "null", "x", '[{"x": 1}]', '[{"scale": 7}]'))})
    return ds.assign_attrs({name: math.nan if way == "nan" else -1e3}) if way != "short" else None


def forged_array(ds, name: str, way: str, rng: random.Random):
    """A Dataset with a forged variable; None if it cannot be forged in this way."""
    variable = ds[name]
    if way == "gone":
        return ds.drop_vars(name)
    if way == "words":
        return ds.drop_vars(name).assign({name: "x"})
    if variable.dtype.kind != "f" or not variable.dims:
        return None
    values = variable.values.copy()
    if way == "short":
        return ds.drop_vars(name).assign({name: ("shorter", values.ravel()[:-1])})
    values.flat[rng.randrange(values.size)] = math.nan if way == "nan" else -1e3
    return ds.assign({name: (variable.dims, values, variable.attrs)})


def end_of(*words: str) -> str:
    """ "done" or "refused" for a command that ends as it should, else what is wrong."""
    done = CliRunner().invoke(app, list(words))
    if done.exit_code in (0, 2, 3, 4, 5) and "bug" not in done.output and "unexpected" not in done.output:
        return "refused" if done.exit_code else "done"
    return f"{words[0]}: exit code {done.exit_code}: {done.output.strip()[-200:]}{done.exception!r}"


@pytest.fixture
def loop(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("loop.toml").write_text(LOOP)
    return tmp_path


@pytest.mark.campaign
@needs_speed
def test_a_forged_fit_is_drawn_or_refused(loop):
    assert end_of("run", "loop.toml", "-q", "-o", "loop.nc") == "done"
    ds = store.read("loop.nc")
    rows = zip(ds.write_voltage.values.tolist(), ds.read_resistance.values.tolist(), strict=True)
    Path("loop.csv").write_text("\n".join(["V_write (V),R (ohm)", *(f"{V!r},{R!r}" for V, R in rows)]))
    assert (
        end_of("fit", "loop.csv", "loop.toml", "--vary", "device.left.barrier=0.5eV:0.8eV", "-o", "found.nc") == "done"
    )
    for k, what in enumerate(forged(loop / "found.nc", random.Random(14))):
        assert end_of("plot", "forged.nc", "-o", "a.png") in ("done", "refused"), what
        if k % 10 == 0:
            end = end_of("predict", "forged.nc", "loop.toml", "--draws", "10", "-o", "band.nc")
            assert end in ("done", "refused"), what


@pytest.fixture
def model(loop) -> CompactModel:
    return build.compact(load_case(loop / "loop.toml"), voltage=(-4.0, 2.4), measure=False)


@pytest.mark.campaign
@needs_speed
def test_a_forged_model_is_refused_or_has_finite_currents_of_the_right_sign(model, loop):
    model.save(loop / "model.nc")
    sound = refused = 0
    for what in forged(loop / "model.nc", random.Random(15)):
        try:
            other = CompactModel.load(loop / "forged.nc")
        except ResultError:
            refused += 1
            continue
        current = other.hold(other.states(2), np.array([0.1, -0.1]), 0.0)
        assert np.isfinite(current).all(), what
        assert current[0] > 0.0 > current[1], what
        sound += 1
    assert min(sound, refused) > 50


def without_comments(content: str) -> list[str]:
    """Lines of an export that a program obeys; a longer text may wrap a comment into one more line."""
    return [line for line in content.splitlines() if not line.lstrip().startswith(("//", "*", "#"))]


@pytest.mark.campaign
@needs_speed
def test_texts_of_a_model_add_no_line_to_an_export(model):
    taken = pulses.pulse_cycle(model)
    texts = {*model.about, "title", "otjdd_version", "case_sha256"}

    def files(text: str) -> dict[str, str]:
        named = replace(model, about=dict.fromkeys(texts, text))
        return exports.circuits(named) | exports.networks(exports.Extracted(named, taken))

    tame = files("a import os")
    for text in TEXTS:
        for name, content in files(f"a{text}import os").items():
            assert content.isascii(), (name, text)
            assert len(without_comments(content)) == len(without_comments(tame[name])), (name, text)
            if name.endswith(".py"):
                assert len(ast.parse(content).body) == len(ast.parse(tame[name]).body), (name, text)
