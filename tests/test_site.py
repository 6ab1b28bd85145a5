"""The site as a browser and a screen reader get it: headings, names of pictures and links, formulas, nothing from afar."""

import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from test_readmes import QUESTIONS

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "cases" / "pages"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(HTMLParser):
    """What a page has in its article: levels of headings, pictures, links with their names, and texts of formulas."""

    def __init__(self, text: str):
        super().__init__()
        self.language = ""
        self.open: list[tuple[str, dict]] = []
        self.levels: list[int] = []
        self.pictures: list[dict] = []
        self.links: list[list[str]] = []
        self.fetched: list[str] = []
        self.unnamed_boxes: list[str] = []
        self.feed(text)

    def within(self, name: str) -> bool:
        return any(tag == name for tag, _ in self.open)

    def handle_starttag(self, tag, attributes):
        values = {name: value or "" for name, value in attributes}
        if tag == "html":
            self.language = values.get("lang", "")
        if tag in ("script", "img", "iframe", "source") or (tag == "link" and values.get("rel") == "stylesheet"):
            self.fetched.append(values.get("src", "") + values.get("href", ""))
        if values.get("type") == "checkbox" and not values.get("aria-label"):
            self.unnamed_boxes.append(values.get("id", ""))
        if self.within("article"):
            if re.fullmatch("h[1-6]", tag):
                self.levels.append(int(tag[1]))
            elif tag == "img":
                self.pictures.append(values)
                if self.within("a"):
                    self.links[-1][1] += values.get("alt", "")
            elif tag == "a":
                name = values.get("aria-label", "") or values.get("title", "")
                self.links.append([values.get("href", ""), name])
        if tag not in VOID:
            self.open.append((tag, values))

    def handle_endtag(self, tag):
        if self.within(tag):
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data):
        if self.within("article") and self.within("a"):
            self.links[-1][1] += data.strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The folder of the built site."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("latex2mathml")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "-f", "cases/pages/mkdocs.yml", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def site(folder) -> dict[str, str]:
    """HTML of each page, by its place."""
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*.html"))}


@pytest.fixture(scope="module")
def pages(site) -> dict[str, Page]:
    return {place: Page(text) for place, text in site.items() if place != "404.html"}


@pytest.mark.campaign  # what builds the site is in the extra docs, which the tests do not install
def test_each_page_can_be_read_on_a_screen_by_ear_and_by_keyboard_and_asks_for_nothing_from_elsewhere(site, pages):
    assert "reference/python.html" in pages
    assert sum(len(page.pictures) for page in pages.values()) > 12
    for place, page in pages.items():
        assert page.language == "en", place
        assert page.levels.count(1) == 1, f"{place}: {page.levels}"
        assert page.levels[0] == 1, place
        steps = [after - before for before, after in zip(page.levels, page.levels[1:], strict=False)]
        assert max(steps, default=0) <= 1, f"{place}: {page.levels}"
        assert [one["src"] for one in page.pictures if len(one.get("alt", "").split()) < 2] == [], place
        for target, name in page.links:
            assert name.lower() not in ("", "here", "this", "link", "click here", "more"), f"{place}: {target}"
        assert page.unnamed_boxes == [], place
        assert [source for source in page.fetched if re.match("(https?:)?//", source)] == [], place
        target = re.search(r'<a href="(#[^"]*)" [^>]*class="md-skip"', site[place])
        assert f'id="{target[1][1:]}"' in site[place], place


@pytest.mark.campaign
def test_formulas_are_set_and_no_command_of_tex_is_left(site):
    physics = site["otjdd/physics/index.html"]
    assert physics.count("<math ") > 200
    for place, text in site.items():
        article = re.sub(r"(?s)<(pre|code|script)\b.*?</\1>", "", text)
        assert "arithmatex" not in article, place
        assert not re.search(r"\\(frac|int|mathrm|varepsilon|sqrt|quad)\b|\$\$", article), place


SEARCH = """
const [question, done] = arguments, field = document.querySelector("[data-md-component=search-query]");
const first = () => document.querySelector(".md-search-result__item a");
first()?.closest("ol").replaceChildren();
field.focus();
field.value = question;
field.dispatchEvent(new KeyboardEvent("keyup", {key: "a", bubbles: true}));
const look = () => first() ? done(first().href) : setTimeout(look, 50);
setTimeout(look, 300);
"""


@pytest.mark.campaign
def test_each_question_of_a_user_is_answered_by_the_first_hit_of_the_search(folder, chromium):
    # the search begins when its field gets the focus, which a page without a screen has only so
    chromium.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    chromium.get((folder / "index.html").as_uri())
    hits = {question: chromium.execute_async_script(SEARCH, question) for question in QUESTIONS}
    assert {question: hit for question, hit in hits.items() if "/cases/how-to.html" not in hit} == {}


def luminance(colour: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_grey_letters_have_the_contrast_that_guidelines_for_the_web_ask_for():
    text = (PAGES / "text/pages.css").read_text("utf-8")
    pages = {"default": [1.0, 1.0, 1.0], "slate": [0.118, 0.129, 0.161]}  # colours of the theme, light and dark
    greys = re.findall(r'scheme="(\w+)"|: rgba\((\d+), (\d+), (\d+), ([\d.]+)\)', text)
    scheme = ""
    for name, *numbers in greys:
        scheme = name or scheme
        if not name:
            *colour, share = map(float, numbers)
            mixed = [share * c / 255 + (1 - share) * b for c, b in zip(colour, pages[scheme], strict=True)]
            low, high = sorted((luminance(mixed), luminance(pages[scheme])))
            assert (high + 0.05) / (low + 0.05) > 4.5, (scheme, numbers)
    assert len(greys) == 6


@pytest.fixture
def page_modules(monkeypatch):
    monkeypatch.syspath_prepend(str(PAGES))


@pytest.mark.usefixtures("page_modules")
def test_diagrams_have_words_and_name_each_floor_of_the_house():
    from diagrams import DIAGRAMS

    floors = tomllib.loads((ROOT / "tests/layers.toml").read_text("utf-8"))["floors"]
    drawn = {name: ElementTree.fromstring(diagram()) for name, diagram in DIAGRAMS.items()}
    assert all(len(figure[0].get("aria-label").split()) > 5 for figure in drawn.values())
    assert [text.text for text in drawn["house"].iter("text")] == [name for floor in reversed(floors) for name in floor]


@pytest.mark.usefixtures("page_modules")
def test_cells_are_run_once_and_what_they_print_and_draw_is_kept(tmp_path, monkeypatch):
    import executed

    cells = ["x = 20\nprint('twice')\n2 * x", "from matplotlib.figure import Figure\nFigure()", "y = x"]
    (tmp_path / "cases/notebooks").mkdir(parents=True)
    monkeypatch.setattr(executed, "STORE", tmp_path / "store")
    assert executed.outputs_of(cells, tmp_path / "cases/notebooks") is None
    monkeypatch.setenv("OTJDD_PAGES", "execute")
    first, second, third = executed.outputs_of(cells, tmp_path / "cases/notebooks")
    assert (first["text"], third["text"], third["pictures"]) == ("twice\n40\n", "", [])
    assert second["pictures"][0].startswith(b"\x89PNG")
    monkeypatch.delenv("OTJDD_PAGES")
    assert executed.outputs_of(cells, tmp_path / "cases/notebooks") == [first, second, third]
    assert executed.outputs_of([*cells, "1 / 0"], tmp_path / "cases/notebooks") is None


@pytest.mark.usefixtures("page_modules")
def test_a_line_of_the_gallery_that_fails_stops_the_site(tmp_path, monkeypatch):
    import executed

    monkeypatch.setattr(executed, "STORE", tmp_path / "store")
    monkeypatch.setenv("OTJDD_PAGES", "execute")
    with pytest.raises(subprocess.CalledProcessError):
        executed.picture_of(["otjdd run no-such-case --plot a.png"], "sh", "a.png", b"")
    assert not (tmp_path / "store").exists()


def test_entries_of_the_gallery_have_words_and_lines_and_a_case_that_is_shipped():
    entries = tomllib.loads((PAGES / "gallery.toml").read_text("utf-8"))["picture"]
    for entry in entries:
        assert len(entry["alt"].split()) > 4, entry
        assert "case" in entry or "title" in entry, entry
        assert "case" not in entry or (ROOT / f"cases/{entry['case']}.toml").is_file(), entry
        assert (ROOT / entry["picture"]).is_file() or any(entry["picture"] in line for line in entry["lines"]), entry


@pytest.mark.usefixtures("page_modules")
def test_licences_of_all_that_is_installed_below_otjdd_may_stand_beside_its_own():
    from licences import COMPATIBLE, PROGRAMS, licences

    rows = {name: licence for name, _, licence in licences()}
    assert {"numpy", "numba", "llvmlite", "xarray"} <= set(rows)
    assert [name for name, licence in rows.items() if name not in PROGRAMS and not COMPATIBLE.search(licence)] == []
    assert not COMPATIBLE.search("GPL-3.0-or-later")
    assert not COMPATIBLE.search("Proprietary")


def test_each_tutorial_and_each_page_of_the_guide_is_in_a_list_of_the_site():
    listed = (PAGES / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    for path in (*ROOT.glob("cases/tutorials/*.py"), *ROOT.glob("cases/*.md"), *ROOT.glob("validation/*.md")):
        assert path.relative_to(ROOT).with_suffix(".md").as_posix() in listed, path
