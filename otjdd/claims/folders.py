"""Claims on disk: a folder with claim.toml and its cases; all claims device by device; the runs that a claim needs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from otjdd import units
from otjdd.case.document import Document
from otjdd.case.explain import read_record
from otjdd.case.problem import Problem, nearest
from otjdd.claims.claim import Claim
from otjdd.claims.figure import Figure
from otjdd.claims.measured_tables import with_numbers
from otjdd.claims.metrics import METRICS
from otjdd.claims.trial import ClaimTrial
from otjdd.claims.trials import AS_SHIPPED, trials
from otjdd.errors import CaseError

CLAIM = "claim.toml"
FIRST = "paper"  # folder of the device that otjdd was made for; its claims come first


def load_claim(folder: Path) -> Claim:
    """Read the claim of a folder. Raises OSError, CaseError, also for an unknown metric or number of a metric."""
    claim, document = read_record(Claim, folder / CLAIM)
    if wrong := list(strange_figures(claim, document)):
        raise CaseError(wrong)
    return claim.model_copy(update={"settings": with_numbers(claim.settings, folder, document)})


def strange_figures(claim: Claim, document: Document) -> Iterator[Problem]:
    """Problems of a claim: unknown metrics or numbers of a metric, units of another quantity."""
    if claim.metric not in METRICS:
        hint = nearest(claim.metric, list(METRICS)) or ", ".join(METRICS)
        yield document.problem(("metric",), "the name of a metric", units.brief(claim.metric), hint)
        return
    numbers = METRICS[claim.metric].numbers
    for i, figure in enumerate(claim.figure):
        if figure.name not in numbers:
            expected = f"a number of the metric {claim.metric}: {', '.join(numbers)}"
            yield document.problem(("figure", i, "name"), expected, units.brief(figure.name))
        elif not units.same_kind(figure.unit, unit := numbers[figure.name][0]):
            expected = f"a unit of the same quantity as {units.brief(unit)}"
            yield document.problem(("figure", i, "unit"), expected, units.brief(figure.unit))


def claim_and_figure(path: str) -> tuple[Claim, Figure]:
    """A shipped claim and one of its figures. path : such as "rv-hrs.pristine". Raises ValueError, OSError, CaseError."""
    name, _, of = path.partition(".")
    claim = load_claim(folder_of(name))
    figures = {figure.name: figure for figure in claim.figure}
    if of not in figures:
        raise ValueError(f"the claim {name!r} has no figure {of!r}; it has {', '.join(figures)}")
    return claim, figures[of]


def planned(
    folder: Path, claim: Claim, quick: bool = False, device: Mapping[str, Any] = AS_SHIPPED
) -> list[ClaimTrial]:
    """The runs that a claim needs, without their results. Raises CaseError, OSError, ValueError.

    device : dotted keys and values of another set of parameters, see `trials.another_set`
    """
    cases = {path.stem: path for path in sorted(folder.glob("*.toml")) if path.name != CLAIM}
    if unknown := set(claim.quick) - set(cases):
        raise ValueError(f"{folder}: quick names no case of this claim: {', '.join(sorted(unknown))}")
    if not cases:
        raise ValueError(f"{folder}: no case to run")
    changes = claim.quick if quick else {}
    return [trial for stem, path in cases.items() for trial in trials(path, changes.get(stem, {}), device)]


def folders(root: Path) -> dict[str, Path]:
    """Name -> folder of each claim, device by device: the device FIRST, then the others in alphabetical order.

    root : folder with the folders of claims, or of devices with claims. Raises OSError.
    """
    inside = [path for path in root.iterdir() if path.is_dir()]
    inside += [path for device in inside for path in device.iterdir()]
    paths = [path for path in inside if (path / CLAIM).is_file()]
    return {path.name: path for path in sorted(paths, key=lambda path: (path.parent.name != FIRST, path))}


def folder_of(name: str) -> Path:
    """Folder of a claim that comes with otjdd. Raises ValueError."""
    by_name = folders(shipped_claims())
    if name not in by_name:
        raise ValueError(f"there is no claim {name!r}; there are {', '.join(by_name)}")
    return by_name[name]


def shipped_claims() -> Path:
    """Folder of the claims that come with otjdd, in an installed package or in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return package / "validation" if (package / "validation").is_dir() else package.parent / "validation"
