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
def test_it_says_at_the_top_how_many_claims_are_met(page):
    assert page.find_element("tag name", "h1").text == "1 of 3 claims are met"
    assert page.title == "otjdd validation: 1 of 3 claims met"


@pytest.mark.campaign
def test_every_claim_that_has_a_result_shows_its_picture(page):
    pictures = js(page, "[...document.images].map(i => [i.closest('article').id, i.naturalWidth, i.width, i.alt])")
    assert [name for name, *_ in pictures] == ["generous", "hopeless"]
    for name, natural, shown, alternative in pictures:
        assert natural > 200, name
        assert shown > 200, name
        assert "low: " in alternative
        assert {"hopeless": "(paper 20 kohm)", "generous": "(paper 1e3 kohm)"}[name] in alternative


@pytest.mark.campaign
def test_number_stands_against_number(page):
    cells = js(page, "[...document.querySelectorAll('#hopeless .evidence td')].map(c => c.textContent.trim())")
    assert cells[:2] == ["20 kohm", "10 to 40 kohm"]
    assert cells[2].endswith("kohm")
    assert float(cells[3]) > 1
    assert cells[4] == "missed"


@pytest.mark.campaign
def test_the_distance_of_each_claim_and_of_all_is_shown(page):
    row = "[...document.querySelector('#table [data-id=hopeless]').cells].map(c => c.textContent.trim())"
    number = js(page, "document.querySelector('#hopeless .evidence td:nth-of-type(4)').textContent.trim()")
    assert number in js(page, row)
    assert "root mean square distance" in page.find_element("tag name", "header").text
    assert js(page, "document.querySelector('#table [data-id=broken] td[data-value]').textContent.trim()") == ""


@pytest.mark.campaign
def test_a_claim_tells_protocol_choice_reason_and_run(page):
    text = page.find_element("id", "hopeless").get_attribute("textContent")
    assert "Two writes on a small grid (3 writes, 3 reads" in text
    assert "Ask <script>" in text
    assert 'title = "Two writes on a small grid"' in text
    broken = page.find_element("id", "broken").get_attribute("textContent")
    assert "numerics.max_steps" in broken
    assert "no result" in broken


@pytest.mark.campaign
def test_the_text_of_a_claim_is_text(page):
    assert page.title != "taken over"
    assert js(page, "document.scripts.length") == 1


@pytest.mark.campaign
def test_nothing_is_fetched_and_nothing_goes_wrong(page, report):
    assert page.get_log("browser") == []
    assert js(page, "performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:'))") == []
    assert "http" not in report.read_text().replace("https://doi.org/", "").replace("http-equiv", "")


@pytest.mark.campaign
def test_the_table_sorts_both_ways_by_pointer_and_by_keyboard(page):
    assert rows(page) == ["broken", "generous", "hopeless"]
    button(page, "claim").click()
    assert rows(page) == ["broken", "generous", "hopeless"]
    button(page, "claim").click()
    assert rows(page) == ["hopeless", "generous", "broken"]
    button(page, "verdict").send_keys("\ue007")
    assert rows(page) == ["generous", "hopeless", "broken"]
    sorted_by = js(page, "[...table.querySelectorAll('[aria-sort]')].map(h => [h.innerText[0], h.ariaSort])")
    assert sorted_by == [["v", "ascending"]]


@pytest.mark.campaign
def test_run_times_sort_as_numbers(page):
    button(page, "run time").click()
    times = js(page, "[...table.querySelectorAll('td[data-value]:last-child')].map(c => Number(c.dataset.value))")
    assert times == sorted(times)
    assert times[-1] > 0


@pytest.mark.campaign
def test_the_table_filters_by_verdict_and_by_words(page):
    page.find_element("css selector", "input[value=missed]").click()
    assert rows(page) == articles(page) == ["broken", "hopeless"]
    search = page.find_element("id", "words")
    search.send_keys("Max_Steps  kohm")
    assert rows(page) == articles(page) == ["broken"]
    assert page.find_element("id", "count").text == "1 of 3 shown"
    search.send_keys(" xyzzy")
    assert rows(page) == articles(page) == []
    assert page.find_element("id", "count").text == "0 of 3 shown"


@pytest.mark.campaign
def test_a_link_leads_to_a_claim_that_the_filter_hides(page):
    page.find_element("css selector", "input[value=met]").click()
    assert articles(page) == ["generous"]
    page.execute_script("location.hash = '#hopeless'")
    assert "hopeless" in articles(page)
    assert -5 < js(page, "document.getElementById('hopeless').getBoundingClientRect().top") < 900


@pytest.mark.campaign
def test_it_fits_a_phone(page):
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    )
    try:
        assert js(page, "document.documentElement.scrollWidth") <= 360
        assert js(page, "table.scrollWidth <= table.parentElement.clientWidth")
        assert js(page, "Math.max(...[...document.images].map(i => i.width))") <= 360
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.campaign
@pytest.mark.parametrize(("scheme", "darker"), [("light", "color"), ("dark", "backgroundColor")])
def test_it_follows_the_reader_into_the_dark(page, scheme, darker):
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    style = "getComputedStyle(document.body)"
    sums = {key: sum(map(int, js(page, f"{style}.{key}.match(/\\d+/g).slice(0, 3)"))) for key in
            ("color", "backgroundColor")}  # fmt: skip
    assert min(sums, key=sums.get) == darker
    assert max(sums.values()) - min(sums.values()) > 500


@pytest.mark.campaign
def test_it_can_be_read_without_javascript(chromium, report):
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        chromium.get("about:blank")
        chromium.get(report.as_uri())
        assert not chromium.find_element("id", "filter").is_displayed()
        assert len(chromium.find_elements("css selector", "#table tbody tr")) == 3
        assert chromium.find_element("id", "hopeless").is_displayed()
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.campaign
def test_headings_names_and_labels_are_there_for_those_who_listen(page):
    assert js(page, "document.documentElement.lang") == "en"
    assert js(page, "document.querySelectorAll('h1').length") == 1
    ids = js(page, "[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert js(page, "[...document.querySelectorAll('input')].every(i => i.labels.length)")
    assert js(page, "[...document.querySelectorAll('th')].every(h => h.scope)")
    named = js(page, "[...document.querySelectorAll('[aria-labelledby]')].map(e => e.getAttribute('aria-labelledby'))")
    assert set(named) <= set(ids)
