"""Generated parts of text files: the lines between <!-- NAME:begin --> and <!-- NAME:end -->."""

from pathlib import Path

from otjdd.system.files import read_whole, write_whole


def marks(name: str) -> tuple[str, str]:
    """The lines that mark the beginning and the end of a generated part."""
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"


def part(text: str, name: str) -> str:
    """The lines of a text between the marks of a name. Raises ValueError for a text without them."""
    begin, end = marks(name)
    _, begun, rest = text.partition(begin)
    inside, closed, _ = rest.partition(end)
    if not (begun and closed):
        raise ValueError(f"has no {begin} and {end}")
    return inside.strip("\n")


def check(file: Path, name: str) -> str:
    """The generated part of a file. Called before long work as a check. Raises ValueError without marks, ResultError."""
    try:
        return part(read_whole(file).decode(), name)
    except ValueError as error:
        raise ValueError(f"{file} {error}") from None


def update(file: Path, name: str, body: str) -> None:
    """Replace the generated part of a file. Raises ValueError for a file without marks, ResultError."""
    check(file, name)
    begin, end = marks(name)
    before, _, rest = read_whole(file).decode().partition(begin)
    write_whole(file, f"{before}{begin}\n{body}\n{end}{rest.partition(end)[2]}".encode())
