"""A process that reads a workbook from stdin and writes the text of each sheet to stdout, within limits of memory and time.

It is started as a file, and imports nothing of otjdd. A workbook of a few kilobytes can ask for any amount of memory, and a
damaged one can end the process that reads it. The output is, for each sheet, a line of JSON with its title and the number
of bytes, and its text; or a line with a fault.

    python workbook_process.py MEMORY SECONDS MOST_BYTES [SHEET]
"""

import io
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from python_calamine import CalamineSheet


def main(memory: int, seconds: int, most: int, wanted: str = "") -> None:
    """Write the sheet with the title `wanted`, or all. memory : of addresses [bytes]   most : of the text [bytes]"""
    limit(memory, seconds)
    out = sys.stdout.buffer
    try:
        import python_calamine

        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        for title in book.sheet_names:
            if wanted in ("", title):
                text = text_of(book.get_sheet_by_name(title), most)
                out.write(json.dumps({"title": title, "bytes": len(text)}).encode() + b"\n" + text)
    except BaseException as error:  # a panic of the library is no Exception
        said = str(error).strip().split("\n")[0] or type(error).__name__
        out.write(json.dumps({"fault": said}).encode() + b"\n")


def limit(memory: int, seconds: int) -> None:
    """Limit addresses [bytes] and processor time [s] of this process, where the system has such limits."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, hard))
        except (ValueError, OSError):  # a system without this limit
            continue


def text_of(sheet: "CalamineSheet", most: int) -> bytes:
    """Rows of a sheet as lines of text with tabs between cells, numbers with all digits. Raises ValueError.

    The library gives rows from the first one, cells from the first column that is not empty; empty columns are added.
    """
    if sheet.start is None:
        return b""
    lines, size = [], 0
    for row in sheet.iter_rows():
        cells = [repr(cell) if type(cell) is float else " ".join(str(cell).split()) for cell in row]
        lines.append("\t" * sheet.start[1] + "\t".join(cells) if any(cells) else "")
        size += len(lines[-1])
        if size > most:
            raise ValueError(f"its text is larger than {most // 10**6} MB")
    return "\n".join(lines).encode()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
