"""Formulas of the pages, from TeX to MathML, when the site is built."""

import re
from html import unescape

from latex2mathml.converter import convert

FORMULA = re.compile(
    r'<(span|div) class="arithmatex">\s*\\(?:\((?P<inline>.*?)\\\)|\[(?P<display>.*?)\\\])\s*</\1>', re.DOTALL
)


def on_page_content(html: str, **_: object) -> str:
    """The page with each formula as MathML."""
    return FORMULA.sub(mathml, html)


def mathml(formula: re.Match[str]) -> str:
    """MathML of a formula. Raises ValueError for a command that is not known, which MathML would show as text."""
    inline = formula["inline"] is not None
    text = unescape(formula["inline"] if inline else formula["display"]).strip()
    result = convert(text, display="inline" if inline else "block")
    unknown = re.findall(r"<m[a-z]+[^>]*>(\\\\[A-Za-z]+)<", result)
    if unknown:
        raise ValueError(f"{text}: {unknown[0]} is not known to latex2mathml")
    return result
