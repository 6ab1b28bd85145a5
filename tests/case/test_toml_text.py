"""Places of keys in TOML texts, and writing: both against the standard parser."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from otjdd.case.toml_text import scan, write

TEXT = """\
title = "a # b = [c]"  # comment = 1
a.b."c.d" = 1
'q' = '''
x = 1 '''

[x.y] # table
z = { law = "n", list = [1, {k = 2}, \"\"\"
m = \"1\"\"\"\"], e = {} }

[[t]]
m = 1979-05-27 07:32:00
[[t]]
m = 2
[t.sub]
n = [
  1, # one
  2,
]
"""


def paths_of(value, path=()):
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in members:
        yield (*path, part)
        yield from paths_of(inner, (*path, part))


def test_the_scan_finds_exactly_the_keys_that_the_parser_finds():
    assert set(scan(TEXT).places) == set(paths_of(tomllib.loads(TEXT)))
    assert scan(TEXT).twice == []


NAMES = st.text(max_size=6)
SCALARS = st.text(max_size=12) | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False)
SCALARS = SCALARS.filter(lambda v: not isinstance(v, float) or abs(v) < 1e308)
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(NAMES, v, max_size=4), max_leaves=12)
TABLES = st.dictionaries(NAMES, VALUES, max_size=5)


@given(data=TABLES)
def test_what_is_written_parses_to_the_same_data_and_every_place_is_found(data):
    text = write(data)
    assert tomllib.loads(text) == data
    assert set(scan(text).places) == set(paths_of(data))


@given(text=st.text(alphabet="ab.=[]{}\"'#,\n\\ 1", max_size=60))
def test_the_scan_never_raises_and_knows_what_the_parser_knows(text):
    found = scan(text)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    assert set(paths_of(data)) == set(found.places)
