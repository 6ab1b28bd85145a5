"""All metrics that claims can name: those of the Dataset of one run, and those of trials, which serve one paper each."""

from typing import Any

from otjdd.analysis.metrics import METRICS as OF_A_RUN
from otjdd.claims.papers import exchange, ferroelectric, interface, layers, leakage, learning, switching, variability
from otjdd.claims.trial import Trials

PAPERS = (switching, learning, interface, ferroelectric, layers, exchange, variability, leakage)
OF_TRIALS = {name: metric for paper in PAPERS for name, metric in paper.METRICS.items()}
METRICS = OF_A_RUN | OF_TRIALS


def measured(name: str, trials: Trials, **settings: Any) -> dict[str, float]:
    """Name -> value of the numbers of a metric; a metric of one run takes the first trial.

    settings : keyword arguments of the metric. Raises ValueError if the runs do not determine the numbers.
    """
    return METRICS[name].of(trials[0].ds if name in OF_A_RUN else trials, **settings)
