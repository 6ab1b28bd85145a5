"""The report as its readers have it: a file; in the campaign opened from the disk in a browser."""

import re

import pytest
from small_claims import CASE, CLAIM, folder, otjdd_validate

MARKUP = "<script>document.title = 'taken over'</script>"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Path of the report on three claims: `broken` and `hopeless` are missed, `generous` is met."""
    place = tmp_path_factory.mktemp("report")
    folder(place / "claims", CLAIM.replace("It is what it is.", f"Ask {MARKUP}."), name="hopeless")
    folder(place / "claims", CLAIM.replace("20.0", "1e3").replace('"x2"', '"x1000"'), name="generous")
    folder(place / "claims", CLAIM, CASE + "numerics.max_steps = 5\n", name="broken")
    done = otjdd_validate(place / "claims", "--report", str(place / "out"))
    assert done.returncode == 8, done.stderr
    assert str(place / "out" / "index.html") in done.stderr
    assert [path.name for path in (place / "out").iterdir()] == ["index.html"]
    return place / "out" / "index.html"


@pytest.fixture
def page(chromium, report):
    """The browser at the freshly opened report."""
    chromium.get("about:blank")
    chromium.get(report.as_uri())
    return chromium


@pytest.mark.campaign
def test_a_report_is_one_file_that_holds_every_claim_and_its_pictures_and_asks_for_nothing(report):
    text = report.read_text(encoding="utf-8")
    for name in ("hopeless", "generous", "broken"):
        assert f'id="{name}"' in text
    assert "needs more steps than numerics.max_steps" in text
    assert "taken over" in text
    assert MARKUP not in text
    assert text.count("data:image/svg+xml;base64,") == 2  # of the claims whose runs came to an end
    assert not re.search(r"""(src|href)=["']?(https?:)?//(?!doi\.org)""", text)


def js(page, expression: str):
    return page.execute_script(f"return {expression}")


def rows(page) -> list[str]:
    """Claims that the table shows, from top to bottom."""
    return js(page, "[...table.tBodies[0].rows].filter(r => r.checkVisibility()).map(r => r.dataset.id)")


def articles(page) -> list[str]:
    """Claims that are shown below it."""
    return js(page, "[...document.querySelectorAll('article')].filter(a => a.checkVisibility()).map(a => a.id)")


def button(page, column: str):
    return page.find_element("xpath", f"//table[@id='table']//th[normalize-space()='{column}']/button")


@pytest.mark.campaign
def test_a_claim_shows_its_numbers_its_picture_its_runs_and_its_text_as_text(page, report):
    assert page.find_element("tag name", "h1").text == "1 of 3 claims are met"
    assert page.title == "otjdd validation: 1 of 3 claims met"  # and not that of the text of a claim
    assert js(page, "document.scripts.length") == 1
    pictures = js(
        page, "[...document.images].map(i => [i.closest('article').id, i.naturalWidth > 200 && i.width > 200, i.alt])"
    )
    assert [name for name, *_ in pictures] == ["generous", "hopeless"]
    for (_, wide, alternative), paper in zip(pictures, ("(paper 1e3 kohm)", "(paper 20 kohm)"), strict=True):
        assert wide
        assert "low: " in alternative
        assert paper in alternative
    cells = js(page, "[...document.querySelectorAll('#hopeless .evidence td')].map(c => c.textContent.trim())")
    assert cells[:2] == ["20 kohm", "10 to 40 kohm"]
    assert float(cells[3]) > 1
    assert cells[4] == "missed"
    row = "[...document.querySelector('#table [data-id=hopeless]').cells].map(c => c.textContent.trim())"
    assert cells[3] in js(page, row)
    assert js(page, "document.querySelector('#table [data-id=broken] td[data-value]').textContent.trim()") == ""
    text = page.find_element("id", "hopeless").get_attribute("textContent")
    for words in (
        "Two writes on a small grid (3 writes, 3 reads",
        "Ask <script>",
        'title = "Two writes on a small grid"',
    ):
        assert words in text
    assert "numerics.max_steps" in page.find_element("id", "broken").get_attribute("textContent")
    assert page.get_log("browser") == []
    assert js(page, "performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:'))") == []
    assert "http" not in report.read_text().replace("https://doi.org/", "").replace("http-equiv", "")


@pytest.mark.campaign
def test_the_table_sorts_and_filters_and_a_link_leads_to_what_is_hidden(page):
    assert rows(page) == ["broken", "generous", "hopeless"]
    for expected in (["broken", "generous", "hopeless"], ["hopeless", "generous", "broken"]):
        button(page, "claim").click()
        assert rows(page) == expected
    button(page, "verdict").send_keys("\ue007")
    assert rows(page) == ["generous", "hopeless", "broken"]
    sorted_by = js(page, "[...table.querySelectorAll('[aria-sort]')].map(h => [h.innerText[0], h.ariaSort])")
    assert sorted_by == [["v", "ascending"]]
    button(page, "run time").click()
    times = js(page, "[...table.querySelectorAll('td[data-value]:last-child')].map(c => Number(c.dataset.value))")
    assert times == sorted(times)
    button(page, "claim").click()
    page.find_element("css selector", "input[value=missed]").click()
    assert rows(page) == articles(page) == ["broken", "hopeless"]
    search = page.find_element("id", "words")
    search.send_keys("Max_Steps  kohm")
    assert rows(page) == articles(page) == ["broken"]
    assert page.find_element("id", "count").text == "1 of 3 shown"
    page.execute_script("location.hash = '#generous'")
    assert "generous" in articles(page)
    assert -5 < js(page, "document.getElementById('generous').getBoundingClientRect().top") < 900


@pytest.mark.campaign
def test_it_is_read_on_a_phone_in_the_dark_without_javascript_and_by_those_who_listen(page, report):
    ids = js(page, "[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert js(page, "[...document.querySelectorAll('input')].every(i => i.labels.length)")
    assert js(page, "[...document.querySelectorAll('th')].every(h => h.scope)")
    named = js(page, "[...document.querySelectorAll('[aria-labelledby]')].map(e => e.getAttribute('aria-labelledby'))")
    assert set(named) <= set(ids)
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        assert js(page, "document.documentElement.scrollWidth") <= 360
        assert js(page, "table.scrollWidth <= table.parentElement.clientWidth")
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    for scheme, darker in (("light", "color"), ("dark", "backgroundColor")):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        colour = "getComputedStyle(document.body).{}.match(/\\d+/g).slice(0, 3)"
        sums = {key: sum(map(int, js(page, colour.format(key)))) for key in ("color", "backgroundColor")}
        assert min(sums, key=sums.get) == darker
        assert max(sums.values()) - min(sums.values()) > 500
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.get("about:blank")
        page.get(report.as_uri())
        assert not page.find_element("id", "filter").is_displayed()
        assert len(page.find_elements("css selector", "#table tbody tr")) == 3
        assert page.find_element("id", "hopeless").is_displayed()
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
