"""python -m validation.claims [PAPER]... : judge the claims of each paper and keep the verdicts as data.

With `--case FILE` they are judged with another set of parameters, a case as `otjdd calibrate` writes it, and make a table
of their own. `--without-errors` leaves out the numerical errors.

The table of a paper has one line for each claim: the verdict, and the metric that decides it. This is the number whose
distance from the measured one is the largest in units of its tolerance. All numbers, and the reasons of missed claims, are
in the report: otjdd validate --report DIR.
"""

import argparse
from pathlib import Path

from otjdd.claims import judge, papers, report
from otjdd.claims.claim import Verdict
from otjdd.system.pool import cores
from validation import measured

HERE = Path(__file__).parent
WITHOUT = "--without-errors"
COLUMNS = ("claim", "verdict", "deciding metric", "measured", "otjdd", "distance:")


def row(verdict: Verdict) -> tuple[str, ...]:
    """Cells of the line of a claim, see COLUMNS."""
    judged = [number for number in verdict.measured if number.distance_text]
    most = max(judged, key=lambda number: number.distance)
    figure = most.figure
    return verdict.id, verdict.status, figure.label, figure.paper or figure.allowed, most.otjdd, most.distance_text


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m validation.claims")
    asked.add_argument("paper", nargs="*", default=sorted({path.name for path in papers.discover().values()}))
    asked.add_argument(WITHOUT, dest="errors", action="store_false")
    asked.add_argument("--case", type=Path, help="a case whose parameters stand in the place of those of its base")
    words = asked.parse_args()
    changes = papers.another_set(words.case) if words.case else {}
    for paper in words.paper:
        verdicts = judge.validate([paper], workers=cores(), errors=words.errors, device=changes)
        rows = [tuple(cell.replace("|", report.BAR) for cell in row(verdict)) for verdict in verdicts]
        command = f"python -m validation.claims {paper}" + f" {WITHOUT}" * (not words.errors)
        part = f"claims-{paper}"
        if words.case:
            command, part = f"{command} --case {words.case}", f"{part}-{words.case.stem}"
        measured.keep(HERE / paper, part, COLUMNS, rows, command=command)
        print(f"{paper}: {report.in_total(verdicts)}")


if __name__ == "__main__":
    main()
