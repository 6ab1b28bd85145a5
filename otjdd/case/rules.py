"""What excludes what: one table of rules, which makes the messages of a case and the page of combinations.

A rule names a subject, which a case states, and what the subject does not go with. The subject has places in the case, and
what to state there instead. `law` says whether physics or a definition forbids the combination, or this model leaves it
out. What one table of a case cannot be by itself is checked by its record, or by `faults` of its module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from otjdd.case.base import Record
from otjdd.case.document import value_at
from otjdd.case.electrodes import SIDES, exchanging_sides
from otjdd.case.film import NOT_WITH_LAYERS, LayeredFilm
from otjdd.case.problem import KeyPath, Problem, dotted
from otjdd.errors import CaseError
from otjdd.units import brief, write

Place = tuple[KeyPath, str, Any]  # path, what stands there in words, and the record around it
Case = Any  # a `case.case.Case`, which this module checks
When = Callable[[Case, Any], object]


class Subject(NamedTuple):
    """What a case may state: its name in the page, its places, and what to state there instead."""

    name: str
    places: Callable[[Case], list[Place]]
    instead: str


class Rule(NamedTuple):
    """A subject does not go with something.

    partner : in words, behind what to state instead; {drive} and {noise} are those of the case, {what} the program
    when : true for a case and the record at a place that have it   why : for the page, where `partner` gives no reason
    program : for which a case is refused; "" for every run   advice : hint of the message
    """

    subject: str
    partner: str
    when: When
    why: str = ""
    law: bool = False
    drives: tuple[str, ...] = ()
    program: str = ""
    advice: str = ""


HEAT, POLARISATION = ("device", "heat"), ("device", "film", "polarisation")
IONISATION, RISE = ("ions", "ionisation_energy"), ("ions", "activation_energy_rise")
NOT_IN_A_CROSSBAR = ("parallel_capacitance", "compliance", "range", "bandwidth", "time_constant")  # of the circuit


def in_words(value: Any, dimension: str = "") -> str:
    """What stands at a place: a table, or the value as in a case file."""
    return "a table" if isinstance(value, Record) else brief(write(value, dimension) if dimension else value)


def stated(path: KeyPath, usual: Any = None, dimension: str = "") -> Callable[[Case], list[Place]]:
    """Place of a table or a value of a case other than the usual one."""

    def places(case: Case) -> list[Place]:
        value = value_at(case, path)
        return [] if value in (None, usual) else [(path, in_words(value, dimension), case)]

    return places


def of_traps(part: str, stands: Callable[[Any], object], dimension: str = "") -> Callable[[Case], list[Place]]:
    """Places of a key of the traps of a case for which it is so."""

    def places(case: Case) -> list[Place]:
        traps = [(i, trap, getattr(trap, part)) for i, trap in enumerate(case.device.traps or ()) if stands(trap)]
        return [(("device", "traps", i, part), in_words(value, dimension), trap) for i, trap, value in traps]

    return places


def exchanging(case: Case) -> list[Place]:
    """Electrodes of a case with a table of exchange."""
    tables = ((side, getattr(case.device, side).exchange) for side in SIDES)
    return [(("device", side, "exchange"), "a table", (side, table)) for side, table in tables if table is not None]


def hops_at_walls(case: Case) -> list[Place]:
    """Hop distances of the exchange of electrodes."""
    hops = [(path, table.hop_distance) for path, _, (_, table) in exchanging(case) if table.hop_distance > 0.0]
    return [((*path, "hop_distance"), in_words(distance, "length"), case) for path, distance in hops]


def circuit_of_cells(case: Case) -> list[Place]:
    """Keys of the circuit that have no meaning around a crossbar."""
    usual = type(case.circuit)()
    keys = [key for key in NOT_IN_A_CROSSBAR if getattr(case.circuit, key) != getattr(usual, key)]
    return [(("circuit", key), "a value", case) for key in keys]


SUBJECTS = {
    "heat": Subject("`device.heat`", stated(HEAT), "none"),
    "polarisation": Subject("`device.film.polarisation`", stated(POLARISATION), "none"),
    "curie": Subject(
        "`device.film.polarisation.curie_temperature`",
        stated((*POLARISATION, "curie_temperature"), dimension="temperature"),
        "none",
    ),
    "following": Subject('`drive.polarisation = "following"`', stated(("drive", "polarisation"), "frozen"), '"frozen"'),
    "exchange": Subject("`device.left.exchange`, `device.right.exchange`", exchanging, "none"),
    "wall hops": Subject("`hop_distance` of an exchange", hops_at_walls, '"0 m"'),
    "charged": Subject("traps with a charge", of_traps("kind", lambda trap: trap.kind != "none"), '"none"'),
    "donors": Subject('traps of the kind `"donor"`', of_traps("kind", lambda trap: trap.kind == "donor"), '"acceptor"'),
    "kinetic": Subject(
        'traps with `occupation = "kinetic"`', of_traps("occupation", lambda trap: trap.kinetic), '"steady"'
    ),
    "hops": Subject(
        "hops between traps", of_traps("hop_frequency", lambda trap: trap.hop_frequency > 0.0, "frequency"), '"0 Hz"'
    ),
    "depths": Subject(
        "a spread of depths of traps", of_traps("depth_spread", lambda trap: trap.depth_spread > 0.0, "energy"), "none"
    ),
    "trapping ions": Subject('traps `of = "ions"`', of_traps("of", lambda trap: trap.of is not None), "a density"),
    "noise": Subject('`ions.noise = "shot"`', stated(("ions", "noise"), "none"), '"none"'),
    "error": Subject("`numerics.error`", stated(("numerics", "error"), "none"), '"none"'),
    "binding": Subject(
        "a film without electrons",
        lambda case: [(IONISATION, '"none"', case)] if case.ions.ionisation_energy is not None else [],
        'device.film.electrons = "balance"',
    ),
    "rise": Subject("`ions.activation_energy_rise`", stated(RISE, 0.0, "energy"), "none"),
    "drive": Subject(
        "any other drive",
        lambda case: [] if case.drive.kind == "patterns" else [(("drive", "kind"), brief(case.drive.kind), case)],
        '"patterns"',
    ),
    "patterns": Subject(
        "no `crossbar`",
        lambda case: [(("crossbar",), "nothing", case)] if case.crossbar is None else [],
        "a table with word_lines and bit_lines,",
    ),
    "circuit": Subject("other keys of `circuit` than a series resistance", circuit_of_cells, "none"),
}


def of_kinds(*drives: str) -> When:
    """True for a case whose drive is of one of these kinds."""
    return lambda case, _: case.drive.kind in drives


def rule_of_drives(subject: str, kinds: tuple[str, ...], reason: str = "", why: str = "", law: bool = False) -> Rule:
    """A rule of a subject and kinds of drives."""
    return Rule(subject, f'with a drive of kind "{{drive}}"{reason}', of_kinds(*kinds), why, law, kinds)


def always(case: Case, record: Any) -> bool:
    return True


def with_electrons(case: Case, record: Any) -> bool:
    return case.device.film.electrons != "none"


def is_polarised(case: Case, record: Any) -> bool:
    return case.device.film.polarisation is not None


def is_heated(case: Case, record: Any) -> bool:
    return case.device.heat is not None


def noisy(case: Case, record: Any) -> bool:
    return case.ions.noise != "none"


def settles(case: Case, record: Any) -> bool:
    return getattr(case.drive, "settle", False)


def layered(case: Case, record: Any) -> bool:
    return isinstance(case.device.film, LayeredFilm)


def vacancies_move(case: Case, record: Any) -> bool:
    moving = case.drive.kind != "iv" or any(getattr(case.drive, "states", {}).values())
    return moving or hasattr(case.ions.initial, "history")


def in_a_crossbar(case: Case, record: Any) -> bool:
    return case.crossbar is not None


SMALL = "cv", "impedance"
RULES = (
    rule_of_drives("heat", ("iv", *SMALL), " (its curves have no course in time: state their temperatures)", law=True),
    rule_of_drives("heat", ("patterns",), " (compact models have one temperature)"),
    Rule("heat", "with {what}, which has one temperature", always, law=True, program="one temperature"),
    Rule("curie", "with device.heat: P_s belongs to one temperature here, which no current changes", is_heated),
    Rule("following", "for a film without [device.film.polarisation]", lambda *at: not is_polarised(*at), law=True),
    rule_of_drives("polarisation", ("patterns",), " (compact models have no polarisation)"),
    Rule("polarisation", "with {what}, whose state is of vacancies", always, program="compact model"),
    Rule("exchange", "with ions.ionisation_energy", lambda case, _: case.ions.ionisation_energy is not None,
         "the balance of vacancies that hold electrons is not modelled"),
    Rule("exchange", "with device.film.polarisation", is_polarised, "its step at the interface is not modelled"),
    Rule("exchange", 'with device.film.layers with ions = "none" at this electrode',
         lambda case, of: not case.device.film.stack[0 if of[0] == "left" else -1].mobile, "no vacancy is there", True),
    rule_of_drives("exchange", ("patterns",), ", whose compact models have a constant number of vacancies"),
    Rule("exchange", "with drive.settle, where two electrodes that exchange carry a steady flux",
         lambda case, of: settles(case, of) and len(exchanging_sides(case.device)) == 2 and any(case.drive.bias_voltages()),
         law=True),
    Rule("exchange", "with drive.settle, where two electrodes that exchange would settle with a capacity",
         lambda case, of: settles(case, of) and len(exchanging_sides(case.device)) == 2 and of[1].capacity is not None),
    Rule("exchange", "with {what}, whose number of vacancies is constant", lambda case, of: of[1].rate > 0.0,
         "the amount would be a second state, with tables from runs at each amount",
         program="compact model"),
    Rule("wall hops", 'with ions.law = "linear", which no field accelerates', lambda case, _: case.ions.law == "linear",
         law=True),
    Rule("charged", 'with device.film.electrons = "balance"', with_electrons, "both charges are not solved together"),
    Rule("charged", "with device.film.polarisation", is_polarised, "both charges are not solved together"),
    Rule("charged", "with device.heat", is_heated, "their occupancy belongs to one temperature"),
    Rule("charged", 'with ions.noise = "{noise}"', noisy, "single ions hop in fields without charged traps"),
    rule_of_drives("charged", (*SMALL, "patterns"), why="their charge is in no small signal and in no compact model"),
    Rule("charged", "with electrodes that exchange vacancies, in a drive in time",
         lambda case, _: case.drive.kind != "iv" and bool(exchanging_sides(case.device)),
         "fluxes through walls are without them"),
    Rule("charged", 'with occupation = "steady", where vacancies move: take "kinetic"',
         lambda case, trap: not trap.kinetic and vacancies_move(case, trap)),
    Rule("charged", "with {what}, whose fields are caused by vacancies alone", always, program="compact model"),
    Rule("donors", 'with of = "ions": an electron takes from the charge that vacancies have by ions.charge',
         lambda case, trap: trap.of is not None, law=True),
    rule_of_drives("kinetic", ("patterns",), ": compact models have no occupancy of traps"),
    Rule("kinetic", 'with ions.noise = "{noise}"', noisy,
         "their occupancy would follow the smooth density of vacancies, not the single ions"),
    Rule("kinetic", "with {what}, whose state is of vacancies", always,
         "the occupancy would be a second state, with tables from runs at each occupancy",
         program="compact model"),
    Rule("hops", 'with occupation = "kinetic": hops between such traps are not modelled',
         lambda case, trap: trap.kinetic),
    Rule("depths", "with hop_frequency: hops between traps of different depth are not modelled",
         lambda case, trap: trap.hop_frequency > 0.0),
    Rule("trapping ions", 'with occupation = "kinetic": traps that move with their occupancy are not modelled',
         lambda case, trap: trap.kinetic),
    rule_of_drives("noise", SMALL, " (the answer to a small signal has no course in time)", law=True),
    Rule("noise", "with numerics.error: runs on several grids differ by their hops, not by their cells alone",
         lambda case, _: case.numerics.error != "none", law=True, advice="judge the numerics without noise"),
    Rule("noise", "in {what}, whose runs must not scatter: --set ions.noise=none", always, law=True, program="fit"),
    Rule("error", "with a crossbar", of_kinds("patterns"), "its cells have no grid", True),
    Rule("binding", "with ions.ionisation_energy, which binds electrons of the film",
         lambda *at: not with_electrons(*at), law=True),
    Rule("rise", "with device.film.layers: each layer has its own activation_energy", layered, law=True),
    Rule("drive", "in a case with a [crossbar]", in_a_crossbar, law=True),
    Rule("patterns", "for a drive of patterns", of_kinds("patterns"), law=True),
    Rule("circuit", "in a case with a [crossbar], whose drivers are resistances and whose cells are static", in_a_crossbar),
)  # fmt: skip


def broken(case: Case, programs: tuple[str, ...] = ("",)) -> Iterator[tuple[Rule, KeyPath, str]]:
    """(rule, path, what stands there) of the rules of some programs that a case breaks."""
    for rule in RULES:
        if rule.program in programs:
            for path, got, record in SUBJECTS[rule.subject].places(case):
                if rule.when(case, record):
                    yield rule, path, got


def expected_words(rule: Rule, case: Case, what: str = "") -> str:
    """What a rule expects, in words. what : the program that refuses the case"""
    words = rule.partner.format(drive=case.drive.kind, noise=case.ions.noise, what=what)
    return f"{SUBJECTS[rule.subject].instead} {words}"


def faults(case: Case) -> Iterator[tuple[KeyPath, str, str, str]]:
    """Path, expected, got and hint of what does not go together in a case."""
    for rule, path, got in broken(case):
        yield path, expected_words(rule, case), got, rule.advice


def refuse(case: Case, what: str, *programs: str) -> None:
    """Raise CaseError for a case that programs do not take. what : the program in words, such as "a compact model" """
    problems = {
        path: case.located.get(dotted(path), Problem("case", 0, 0, dotted(path), ""))._replace(
            expected=expected_words(rule, case, what), got=got, hint=rule.advice or rule.why
        )
        for rule, path, got in broken(case, programs)
    }
    if problems:
        raise CaseError(list(problems.values()))


def markdown() -> str:
    """The table of rules, and the keys that all columns share, for the page of combinations."""
    lines = ["| key | cannot be combined | use instead | |", "|---|---|---|---|"]
    for rule in RULES:
        subject = SUBJECTS[rule.subject]
        words = rule.partner.replace('"{drive}"', " or ".join(f"`{kind}`" for kind in rule.drives))
        words = words.format(noise="shot", what=f"a {rule.program}".replace("a one", "a compact model of one"))
        words += f": {rule.why}" if rule.why else ""
        lines.append(f"| {subject.name} | {words} | {subject.instead} | {'law' if rule.law else 'not done'} |")
    for name, why in NOT_WITH_LAYERS.items():
        lines.append(f"| `device.film.{name}` | with device.film.layers: {why} | none | not done |")
    return "\n".join(lines)
