"""A process that reads a workbook, or a file of arrays, from stdin and writes the text of each sheet to stdout.

It has limits of memory and time, is started as a file, imports nothing of otjdd, and other libraries within its limits.
A workbook of a few kilobytes can ask for any amount of memory, and a damaged one can end the process that reads it. The
output is, for each sheet, a line of JSON with its title and the number of bytes, and its text; or a line with a fault.

    python workbook_process.py MEMORY SECONDS MOST_BYTES KIND
"""

import io
import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from python_calamine import CalamineSheet


def main(memory: int, seconds: int, most: int, kind: str) -> None:
    """Write all sheets. memory : of addresses [bytes]   most : of the text [bytes]   kind : "workbook" or "arrays" """
    limit(memory, seconds)
    out = sys.stdout.buffer
    try:
        data = sys.stdin.buffer.read()
        packed = data[:4] == b"PK\x03\x04" and b".npy" in data[:200]
        for title, text in arrays(data, most) if kind == "arrays" or packed else sheets(data, most):
            out.write(json.dumps({"title": title, "bytes": len(text)}).encode() + b"\n" + text)
    except BaseException as error:  # a panic of the library is no Exception
        words = str(error).strip().split("\n")[0] or type(error).__name__
        out.write(json.dumps({"fault": words}).encode() + b"\n")


def sheets(data: bytes, most: int) -> "Iterator[tuple[str, bytes]]":
    """Yield (title, text) of the sheets of a workbook."""
    import python_calamine

    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    for title in book.sheet_names:
        yield title, text_of(book.get_sheet_by_name(title), most)


def arrays(data: bytes, most: int) -> "Iterator[tuple[str, bytes]]":
    """Yield ("", text) of the variables of a MAT-file, or of arrays of numpy: a table for each length, numbers above it."""
    import numpy as np

    if data.startswith(b"MATLAB"):
        from scipy.io import loadmat

        content = loadmat(io.BytesIO(data), simplify_cells=True)
    else:
        stored = np.load(io.BytesIO(data), allow_pickle=False)
        content = dict(stored) if hasattr(stored, "files") else {"": stored}
    columns: dict[int, dict[str, np.ndarray]] = {}
    numbers = []
    for name, values in number_arrays(content):
        if values.ndim == 0 or values.size == 1:
            numbers.append(f"{name} = {values.ravel()[0]!s}")
        elif values.ndim == 1:
            columns.setdefault(len(values), {})[name] = values
        elif values.ndim == 2:
            for i, column in enumerate(values.T if values.shape[0] >= values.shape[1] else values, start=1):
                columns.setdefault(len(column), {})[f"{name} {i}".strip()] = column
    for rows in sorted(columns, reverse=True):
        last = [name.rpartition(".")[2] for name in columns[rows]]
        names = [short if last.count(short) == 1 else name for name, short in zip(columns[rows], last, strict=True)]
        table = ["\t".join(names)] if any(name and not name.isdigit() for name in columns[rows]) else []
        lists = [column.astype(float).tolist() for column in columns[rows].values()]
        table += ["\t".join(map(repr, row)) for row in zip(*lists, strict=True)]
        text = "\n".join([*numbers, "", *table]).encode()
        if len(text) > most:
            raise ValueError(f"its text is larger than {most // 10**6} MB")
        yield "" if len(columns) == 1 else f"{rows} rows", text


def number_arrays(content: "Mapping[str, object]", above: str = "") -> "Iterator[tuple[str, np.ndarray]]":
    """Yield (name, array) of the variables of numbers, also in structures and named fields."""
    import numpy as np

    for name, value in content.items():
        if name.startswith("__"):
            continue
        if isinstance(value, dict):
            yield from number_arrays(value, f"{above}{name}.")
            continue
        array = np.asarray(value)
        if array.dtype.names:
            yield from number_arrays({field: array[field] for field in array.dtype.names}, above)
        elif array.dtype.kind in "fiub":
            yield above + name, array.squeeze()


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
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
