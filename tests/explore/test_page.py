"""The page as people have it: the command, a browser, a slider, a pulse, a film, files; two tabs and no way in."""

import re
import signal
import subprocess
import sys
import time

import commands
import numpy as np
import pytest

import otjdd
from otjdd.explore import sliders

CASE = """base = "rv-loop.toml"
title = "A small loop"
[device]
film = { cells = 24, electrons = "none" }
[columns]
count = 2
[circuit]
series_resistance = "0 ohm"
[drive]
step = "0.4 V"
[numerics]
rtol = 1e-5
atol = 1e-7
"""
STILL = "document.getElementById('result').ariaBusy === 'false'"
CODE = """
import signal
from otjdd.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal
main()
"""
COMMAND = [sys.executable, "-c", CODE, "explore", "--no-browser"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Process and address of a server, and its case."""
    case = tmp_path_factory.mktemp("explore") / "small.toml"
    case.write_text(CASE, encoding="utf-8")
    with subprocess.Popen([*COMMAND, str(case)], stderr=subprocess.PIPE, text=True) as process:
        address = re.search(r"http://127\.0\.0\.1:\d+/\S+/", process.stderr.readline())
        assert address, process.stderr.read()
        yield process, address[0], otjdd.load_case(case)
        if process.poll() is None:
            process.kill()


@pytest.fixture(scope="module")
def browser(chromium, served, tmp_path_factory):
    """The browser, with a folder for downloads, at the page."""
    folder = tmp_path_factory.mktemp("downloads")
    chromium.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    chromium.folder = folder
    screen = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    chromium.get(served[1])
    until(chromium, f"document.body.dataset.shown && {STILL}")
    return chromium


def js(browser, expression: str):
    return browser.execute_script(f"return {expression}")


def seen(browser) -> str:
    """State and requests of the page, for the message of a failure."""
    asked = "performance.getEntriesByType('resource').slice(-9).map(r => [r.name, r.startTime, r.duration].join())"
    return "\n".join([js(browser, "document.body.innerText"), *js(browser, asked), str(browser.get_log("browser"))])


def until(browser, condition: str):
    """Wait until an expression is true in the page, however busy the machine is."""
    end = time.monotonic() + 500.0
    while not js(browser, condition):
        assert time.monotonic() < end, f"never: {condition}\n{seen(browser)}"
        time.sleep(0.02)


def type_in(browser, name: str, value: str) -> bool:
    """Type a value beside a slider; tell if the curve is another one then."""
    before, field = js(browser, "curve.src"), browser.find_element("id", f"n-{name}")
    field.clear()
    field.send_keys(value, "\n")
    until(browser, STILL)
    return js(browser, "curve.src") != before


def download(browser, name: str):
    """Path of a file that a link of the page gives out."""
    for old in browser.folder.iterdir():
        old.unlink()
    js(browser, f"document.querySelector('a[href=\"download/{name}\"]').click()")
    end = time.monotonic() + 500.0
    while not (found := [path for path in browser.folder.iterdir() if path.suffix != ".crdownload"]):
        assert time.monotonic() < end, js(browser, "document.body.innerText")
        time.sleep(0.05)
    return found[0]


def numbers(browser) -> np.ndarray:
    """Resistances of the result that the page gives out."""
    return otjdd.read(download(browser, "result")).read_resistance.values


def test_a_walk_from_a_slider_to_a_film(browser, served):
    """What each user does: it opens, a slider, a value that cannot be, a pulse, a film, undo, the sections, the command."""
    assert js(browser, "document.title") == "otjdd explore: A small loop"
    assert js(browser, "document.querySelectorAll('#of-device .slider').length") == 11
    assert js(browser, "document.querySelectorAll('#of-drive .slider').length") == 4
    assert js(browser, "document.getElementById('h-thickness').textContent").startswith(
        "Literature 2 to 3.6 nm: 2.8 nm in"
    )
    assert js(browser, "document.getElementById('s-thickness').getAttribute('aria-valuetext')") == "2.8 nm"
    assert js(browser, "[junction, curve].every((picture) => picture.naturalWidth > 200 && picture.alt)")
    first = js(browser, "curve.src")
    browser.find_element("id", "s-thickness").send_keys("\ue014" * 4)  # to the right
    until(browser, STILL)
    assert js(browser, "[document.getElementById('n-thickness').value, key.textContent]") == ["3", "grey: before"]
    assert js(browser, "curve.src") != first
    thick = served[2].replace("device.film.thickness", "3 nm")
    np.testing.assert_array_equal(numbers(browser), otjdd.run(thick).read_resistance.values)
    assert not type_in(browser, "thickness", "0")
    assert js(browser, "problem.textContent") == "Film thickness: 1.2 to 5 nm here; a case file goes further"
    assert js(browser, "document.querySelector('.slider.wrong label').textContent") == "Film thickness"
    assert js(browser, "void document.querySelector('#buttons button').click()") is None
    until(browser, f"document.getElementById('key').textContent.includes('pulse 1') && {STILL}")
    browser.find_element("id", "play").click()
    until(browser, "!frame.hidden && frame.naturalWidth > 400")
    browser.find_element("id", "back").click()
    for _ in range(2):  # of the pulse, of the slider
        browser.find_element("id", "undo").click()
        until(browser, STILL)
    assert js(browser, "[curve.src, document.getElementById('n-thickness').value]") == [first, "2.8"]
    assert js(browser, "undo.disabled && problem.hidden")
    browser.find_element("css selector", "#all-device summary").click()
    assert not js(browser, "document.querySelector('#of-device input').checkVisibility()")
    browser.refresh()
    until(
        browser,
        f"document.body.dataset.shown && {STILL} && !document.querySelector('#of-device input').checkVisibility()",
    )
    browser.find_element("css selector", "#all-device summary").click()
    assert js(browser, "curve.src") == first
    assert type_in(browser, "thickness", "2.9")
    assert "--set 'device.film.thickness=2.9 nm'" in js(browser, "command.textContent")
    assert type_in(browser, "thickness", "2.8")


@pytest.mark.campaign
def test_a_run_that_takes_long_is_stopped(browser):
    js(browser, "document.getElementById('experiment').value = 'stdp'")
    js(browser, "document.getElementById('experiment').dispatchEvent(new Event('change'))")
    until(browser, "!document.getElementById('stop').hidden")
    browser.find_element("id", "stop").click()
    until(browser, "document.getElementById('status').textContent.startsWith('stopped')")
    js(browser, "document.getElementById('experiment').value = 'own'")
    js(browser, "document.getElementById('experiment').dispatchEvent(new Event('change'))")
    until(browser, f"{STILL} && !document.getElementById('status').textContent.startsWith('stopped')")


@pytest.mark.campaign
def test_all_of_it_fits_on_a_small_screen(browser):
    assert js(browser, "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [1280, 720]
    shown = "[...document.querySelectorAll('main input, main button, img')].filter(e => e.checkVisibility())"
    reached = (
        "(e.scrollIntoView({block: 'nearest'}), e.getBoundingClientRect().bottom)"  # the sliders have a scroll bar
    )
    assert js(browser, f"{shown}.filter(e => {reached} > 720).map(e => e.id)") == []


@pytest.mark.campaign
def test_another_tab_has_its_own_state(browser):
    type_in(browser, "thickness", "2.9")
    first = browser.current_window_handle
    js(browser, "void window.open(location.href)")  # which takes the storage of this tab along
    (other,) = set(browser.window_handles) - {first}
    browser.switch_to.window(other)
    until(browser, f"document.body?.dataset.shown && {STILL}")
    assert js(browser, "document.getElementById('n-thickness').value") == "2.8"
    browser.close()
    browser.switch_to.window(first)
    assert js(browser, "document.getElementById('n-thickness').value") == "2.9"


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("name", "start"), [("picture.png", b"\x89PNG"), ("picture.svg", b"<?xml"), ("movie.gif", b"GIF8")]
)
def test_pictures_and_movies_are_given_out(browser, name, start):
    assert download(browser, name).read_bytes().startswith(start)


def click(browser, selector: str) -> bool:
    """Click what changes the layers or the traps; tell if the curve is another one then."""
    before, answer = js(browser, "curve.src"), js(browser, "document.body.dataset.shown")
    js(browser, f"document.querySelector('{selector}').click()")
    # between the device and the curve the page rests once
    until(browser, f"{STILL} && (!problem.hidden || document.body.dataset.shown !== '{answer}')")
    return js(browser, "curve.src") != before


@pytest.mark.campaign
def test_layers_and_traps_are_added_and_run_computes_the_case_that_has_them(browser):
    type_in(browser, "thickness", "2.7")  # of a slider that layers replace
    js(browser, "document.getElementById('material').value = 'Al2O3'")
    js(browser, "document.getElementById('place').value = '0'")
    assert click(browser, "#add")
    assert js(browser, "document.getElementById('n-layer-1-offset').value") == "-2.83"
    assert type_in(browser, "layer-0-thickness", "0.5")
    layered = otjdd.load_case(download(browser, "case.toml")).device.film
    assert [sheet.material for sheet in layered.layers] == ["Al2O3", "SrTiO3"]
    assert [sheet.thickness for sheet in layered.layers] == pytest.approx([0.5e-9, 2.7e-9], rel=1e-12)
    assert click(browser, "#layers button")
    without = numbers(browser)
    assert sliders.SOURCE in js(browser, "document.getElementById('about-traps').textContent")
    assert click(browser, "#traps")
    cut_off = "(number) => number.scrollWidth > number.clientWidth"
    assert not js(browser, f"[...document.querySelectorAll('#device input[type=number]')].some({cut_off})")
    assert type_in(browser, "trap_depth-0", "0.6")
    with_traps, case = numbers(browser), download(browser, "case.toml")
    assert with_traps.max() < 0.1 * without.max()  # the high state leaks
    assert commands.otjdd(browser.folder, "run", case.name, "-o", "run.nc").returncode == 0
    np.testing.assert_array_equal(otjdd.read(browser.folder / "run.nc").read_resistance.values, with_traps)


def test_nothing_is_fetched_from_elsewhere_and_nothing_goes_wrong(browser):
    assert browser.get_log("browser") == []
    assert js(browser, "performance.getEntriesByType('resource').every(r => r.name.startsWith(location.origin))")


def test_ctrl_c_ends_the_server(served):
    process = served[0]
    process.send_signal(signal.SIGINT)
    assert process.wait(500) == 0
    assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("words", "code", "said"), [(["none.toml"], 5, "no such file"), (["--port", "70000"], 2, "65535")]
)
def test_what_cannot_be_opened_is_told(tmp_path, words, code, said):
    done = commands.otjdd(tmp_path, "explore", "--no-browser", *words)
    assert done.returncode == code
    assert said in done.stderr
