"""Random stacks with electrons: devices of 1 to 50 nm and 100 to 500 K at -3 to 3 V, with uniform or rough vacancies."""

import numpy as np

from otjdd.case.case import parse_case
from otjdd.compiler.rows import Row
from otjdd.solver import model
from validation.reliability.devices import Shares, drawn, text


def random_stack(number: int, rows: list[Shares]):
    """Junction with electrons in its film, vacancies (N,) [1/m3], and voltage [V] of a row."""
    from otjdd.physics.film_electrons import film_electrons

    u = Shares(rows[number].of | {"temperature": 0.8 * rows[number].of["temperature"], "columns": 0.0})
    case, rng = parse_case(text(u, number)), np.random.default_rng(number)
    junction = model.junction(case)
    width = junction.columns.width[0]
    c = 2e26 * np.exp(rng.standard_normal(width.size)) if number % 2 else np.ones(width.size)
    c *= case.ions.density * width.sum() / (c * width).sum()
    V, states = rng.uniform(-3.0, 3.0), 10 ** rng.uniform(24, 27)
    return junction._replace(electrons=Row([film_electrons(states)])), np.minimum(c, 0.99 * case.ions.site_density), V


def iterations(count: int) -> list[int]:
    """Number of Newton iterations for each stack, 0 if no solution was found."""
    from otjdd.physics.stack_newton import static_stack

    rows = drawn(count, 1)
    return [static_stack(junction, 0, c, V)[1] for junction, c, V in (random_stack(k, rows) for k in range(count))]
