"""Docstrings say what a thing is or does: a noun phrase or an imperative, no question."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
QUESTION = re.compile(r"(What|Whether|How)\b")
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def questions(path: Path) -> list[str]:
    """First lines of the docstrings of a file that open with a question word."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, DOCUMENTED)]
    found = [text for node in nodes if (text := ast.get_docstring(node))]
    return [text.splitlines()[0] for text in found if QUESTION.match(text)]


@pytest.mark.parametrize("folder", ["otjdd", "tests", "validation"])
def test_no_docstring_opens_with_a_question_word(folder):
    found = {path.as_posix(): questions(path) for path in sorted((ROOT / folder).rglob("*.py"))}
    assert len(found) > 10
    assert {path: asked for path, asked in found.items() if asked} == {}
