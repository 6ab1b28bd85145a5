"""Safe text for a terminal, and standard streams that are always open.

Titles, keys and names of files come from anyone. In a terminal a control character is a command, and a character that
changes the direction of writing makes a text look like another.
"""

import os
import sys
import unicodedata

COMMANDS = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # categories of Unicode: control, format, surrogate, separators of lines


def plain(text: str) -> str:
    """A text with its control characters escaped, as Python does it, except ends of lines and tabs: \\x1b[31m, \\u202e."""
    escaped = (c if c in "\n\t" or unicodedata.category(c) not in COMMANDS else ascii(c)[1:-1] for c in text)
    return "".join(escaped)


def say(text: str, end: str = "\n") -> None:
    """Print any text on stdout, with control characters escaped."""
    print(plain(text), end=end)


def tell(text: str) -> None:
    """Print any text on stderr, with control characters escaped."""
    print(plain(text), file=sys.stderr)


def open_closed_streams() -> None:
    """Open closed standard streams, as after 2>&- in a shell, to the null device.

    Otherwise the next file that is opened gets the number of the closed stream, and text for the terminal would be written
    into a result.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is usually this one
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False))
