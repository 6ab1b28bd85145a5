"""Puts tests/ on the path, so that tests below it can import `devices`; `pytest.approx(x, rel=r)` allows r of x only."""

import pytest

# Else 1e-12 is allowed as well, which of a transmission, a length or a small current is all of it.
type(pytest.approx(1.0)).DEFAULT_ABSOLUTE_TOLERANCE = 0.0
