"""Docstrings say what a thing is or does: a noun phrase or an imperative, no question."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "otjdd"
QUESTION = re.compile(r"(What|Whether|How)\b")
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def questions(path: Path) -> list[str]:
    """First lines of the docstrings of a file that open with a question word."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, DOCUMENTED)]
    found = [text for node in nodes if (text := ast.get_docstring(node))]
    return [text.splitlines()[0] for text in found if QUESTION.match(text)]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_docstring_opens_with_a_question_word(path):
    assert questions(path) == []
