"""What a law makes of its devices: held, broken, and without a statement."""

import pytest
from any_law import NoStatement, law


def planted(*ends: Exception | None):
    """A law on as many devices as it has ends, each of which is raised, or None where the law holds."""
    left = list(ends)

    def check(data):
        if left and (end := left.pop(0)):
            raise end

    return law()(check), range(len(ends))


def test_a_law_none_of_whose_devices_makes_a_statement_fails():
    test, devices = planted(NoStatement("first"), None, NoStatement("third"))
    test(devices)
    test, devices = planted(NoStatement("first"), NoStatement("second"))
    with pytest.raises(pytest.fail.Exception, match=r"no device makes a statement.*0: 'first', 1: 'second'"):
        test(devices)


def test_a_law_that_one_device_breaks_fails_and_shows_it():
    test, devices = planted(NoStatement("first"), AssertionError("seven is eight"), None)
    with pytest.raises(
        pytest.fail.Exception, match=r"1 devices break(.|\n)*seed 1: AssertionError: seven is eight\n.*\n"
    ):
        test(devices)
