"""Text on its way to a terminal, and standard streams that are always there.

Titles, keys and names of files come from whoever wrote them. In a terminal a control character is a command, and one that
changes the direction of writing makes a text look like another.
"""

import os
import sys
import unicodedata

COMMANDS = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # categories of Unicode: control, format, surrogate, separators of lines


def plain(text: str) -> str:
    """A text with its control characters written out, but for ends of lines and tabs: \\x1b[31m, \\u202e."""
    return "".join(written(c) if c not in "\n\t" and unicodedata.category(c) in COMMANDS else c for c in text)


def written(character: str) -> str:
    """A character as Python would write it: \\x1b, \\u202e."""
    return ascii(character)[1:-1]


def say(text: str, end: str = "\n") -> None:
    """Print a text that may hold anything on stdout."""
    print(plain(text), end=end)


def tell(text: str) -> None:
    """Print a text that may hold anything on stderr."""
    print(plain(text), file=sys.stderr)


def open_closed_streams() -> None:
    """Lead standard streams that were closed, as by 2>&- in a shell, to nowhere.

    The next file that is opened would take the number of a closed one, and what is written for the terminal would go into
    it: into a result.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False))
