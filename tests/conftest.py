"""Shared fixtures. This file also puts tests/ on the path of modules, so that all tests can import `devices`.

`pytest.approx(x, rel=r)` has no absolute tolerance here. `chromium` is a browser for tests of pages; `compact_folder` and
`compact_model` are the compact model that is extracted once for all tests.
"""

import os
import shutil
import signal
from functools import cache
from pathlib import Path

import kernel_server
import pytest
import typer.main
import typer.testing

# pytest's default of 1e-12 is larger than many transmissions, currents and lengths in SI units.
type(pytest.approx(1.0)).DEFAULT_ABSOLUTE_TOLERANCE = 0.0
# Made once a process, and not at each command that is typed: that takes longer than most of them.
typer.testing._get_command = cache(typer.main.get_command)

TESTS = Path(__file__).parent
# rooms and files of tests, all but those with kernels
WITHOUT_KERNELS = (
    "analysis", "case", "claims/of_papers", "claims/test_claim_pictures.py", "claims/test_trials.py", "measurements",
    "plot", "results/test_results.py", "results/test_units_of_outputs.py", "studies/test_dataset.py",
    "system/test_files.py", "test_digits_page.py", "test_errors.py", "test_layers.py", "test_measured.py",
    "test_site.py", "test_units.py", "waveform",
)  # fmt: skip
WITH_KERNELS = ("test_notes.py",)
FIRST, LAST = ("laws",), ("mechanisms", "physics", "solver", "stepping")  # of the rest: long files, and short ones
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="session", autouse=True)
def signals_of_a_terminal():
    """Signals act as in a terminal, also where a script in the background or nohup has them ignored.

    A test that sends one to itself would wait for ever, and processes that tests start would ignore them too.
    """
    from otjdd.system import limits

    ignored = [number for number in limits.ENDING if signal.getsignal(number) == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    if not (CHROMIUM and DRIVER):
        absent = "chromium and chromedriver are not installed (Debian: apt install chromium chromium-driver)"
        pytest.fail(absent) if os.environ.get("CI") == "true" else pytest.skip(absent)
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('browser')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with Chrome(options, ChromeService(DRIVER)) as browser:
        browser.set_page_load_timeout(60)
        yield browser


def pytest_xdist_auto_num_workers(config):
    """One more than the processors: a worker that waits for a kernel leaves its processor to another."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config):
    """Where several processes run the tests, one more compiles the kernels for them, from before they start."""
    several = config.getoption("numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ
    if several and os.name == "posix" and os.environ.get("NUMBA_DISABLE_JIT", "0") == "0":
        server = kernel_server.begin()
        config.add_cleanup(lambda: kernel_server.end(server))


@cache
def needs_no_kernel(path: Path) -> bool:
    """True for a file of tests that runs while the kernels are compiled."""
    place = path.relative_to(TESTS)
    return path.name not in WITH_KERNELS and any(place.is_relative_to(home) for home in WITHOUT_KERNELS)


def pytest_collection_modifyitems(items):
    """What needs no kernel comes first, and short files last, so that no process is long alone at the end.

    Processes get files in this order, the option of xdist that reorders being off.
    """

    def place(item):
        room = item.path.relative_to(TESTS).parts[0]
        return not needs_no_kernel(item.path), room in LAST, room not in FIRST

    items.sort(key=place)


@pytest.fixture(scope="session")
def kernels():
    """Processes of one session load kernels that one of them has compiled."""
    import numba

    if kernel_server.PLACE in os.environ and not numba.config.DISABLE_JIT:
        from otjdd.solver import self_check

        kernel_server.use()
        self_check.verify_kernels()


@pytest.fixture(scope="module", autouse=True)
def kernels_where_needed(request):
    """Wait for the kernels before the first file that needs them."""
    if not needs_no_kernel(request.path):
        request.getfixturevalue("kernels")


@pytest.fixture(scope="session")
def compact_folder(kernels, tmp_path_factory):
    """Folder with the output of `otjdd compact` for `compact_device`, once for all tests and processes of a session."""
    import compact_device

    folder = tmp_path_factory.getbasetemp()
    return compact_device.extracted(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


@pytest.fixture(scope="session")
def compact_model(compact_folder):
    """The compact model in that folder."""
    from otjdd.compact_models.model import CompactModel

    return CompactModel.load(compact_folder / "model.nc")
