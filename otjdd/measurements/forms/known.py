"""The known forms, one a row. A file has the form with the largest share of its signs in the first lines."""

from __future__ import annotations

from otjdd.measurements.forms import aixacct, easyexpert, labview, plain
from otjdd.measurements.forms.form import Form
from otjdd.measurements.sheet import HEAD, Sheet

FORMS = (
    Form(
        "Keysight EasyEXPERT (B1500A, B2900)", (r"^(SetupTitle|PrimitiveTest|TestParameter)\b", r"^DataName\b"),
        easyexpert.blocks,
    ),
    Form(
        "aixACCT aixPlorer (TF Analyzer)", (r"^Table \d+\s*$", r"^(Program: aixPlorer|TfaModule:|BasicUnit:)"),
        aixacct.blocks,
    ),
    Form("hysteresis of aixPlorer", (r"^.*\bV(plus|\+).*\bV(minus|-).*\bI1\b.*\bP1\b",), aixacct.copied),
    Form("LabVIEW Measurement File", (r"\A\s*LabVIEW Measurement", r"^\*\*\*End_of_Header"), labview.blocks),
    Form("Radiant Vision", (r"^(Hysteresis Version|Task Name|Sample Area)\b", r"^Point\tTime"), plain.blocks),
    Form("buffer of a Keithley SMU or DMM", (r"^(Buffer Name|Buffer Count|Capacity)\b", r"\bReading\b"), plain.blocks),
    Form("Keithley 2450 TSP script", (r"Keithley 24\d\d TSP", r"^#.*Timestamp"), plain.blocks),
    Form("Keithley ACS", (r"\bSmu\d\.\w+\[\d+\]\[\d+\]",), plain.blocks),
    Form("Agilent 4155 or 4156, spreadsheet", (r'^"NO\.",', r'^"","'), plain.blocks),
    Form("Keysight InfiniiVision", (r"^x-axis,", r"^second,"), plain.blocks),
    Form("Keithley 4225-PMU", (r"\bPMU\d_\d_[VI]\b",), plain.blocks),
)  # fmt: skip
PLAIN = Form("table", (), plain.blocks)


def form_of(sheet: Sheet) -> Form:
    """The form of a sheet: that with the largest share of its signs in the first lines; PLAIN if no share exceeds 0.5."""
    head = "\n".join((sheet.original or sheet.text).split("\n", HEAD)[:HEAD])
    best = max(FORMS, key=lambda form: form.recognise(head))
    return best if best.recognise(head) > 0.5 else PLAIN
