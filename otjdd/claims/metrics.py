"""All metrics that claims name: those of a run, and those of several runs together, which are of one paper each."""

from typing import Any

from otjdd.analysis.metrics import METRICS as OF_A_RUN
from otjdd.claims.papers import exchange, ferroelectric, interface, layers, leakage, learning, switching, variability
from otjdd.claims.trial import Trials

PAPERS = (switching, learning, interface, ferroelectric, layers, exchange, variability, leakage)
OF_TRIALS = {name: metric for paper in PAPERS for name, metric in paper.METRICS.items()}
METRICS = OF_A_RUN | OF_TRIALS


def measured(name: str, trials: Trials, **settings: Any) -> dict[str, float]:
    """Numbers of a metric from trials; a metric of a run takes the first of them.

    settings : keyword arguments of its function. Raises ValueError if the runs do not show the numbers.
    """
    return METRICS[name].of(trials[0].ds if name in OF_A_RUN else trials, **settings)
