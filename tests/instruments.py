"""Files in the forms of measuring instruments, from columns of numbers.

The forms are those of public files of these programs: the order of the settings, the names, the units, the ends of lines.
"""

import io

import numpy as np

Columns = dict[str, np.ndarray]


def loop(points: int = 41, top: float = 0.9) -> Columns:
    """Time, voltage and current of a sweep there and back, of a device that switches at its ends."""
    quarter = np.linspace(0.0, top, (points + 3) // 4)
    V = np.round(np.concatenate((quarter, quarter[-2::-1], -quarter[1:], -quarter[-2::-1])), 6)
    t = np.round(0.0419 * np.arange(V.size), 6)
    low = np.cumsum(np.abs(np.diff(V, prepend=0.0))) % (4 * top) >= top
    current = 1e-6 * (1 + 2 * low) * np.sinh(1.5 * V) + 1e-10
    return {"t": t, "V": V, "I": np.array([float(f"{i:.6e}") for i in current])}


def rows(columns: Columns, divider: str = ",", form: str = "{:.9g}", end: str = "\n") -> str:
    """Rows of numbers."""
    return "".join(
        divider.join(form.format(v) for v in row) + end
        for row in zip(*map(np.atleast_1d, columns.values()), strict=True)
    )


def easyexpert(records: list[Columns], *, names: tuple[str, ...] = (), settings: str = "", end: str = "\r\n") -> bytes:
    """Records of a Keysight B1500A: settings of varying width, names behind DataName, rows behind DataValue."""
    text = "\ufeff"
    for columns in records:
        labels = names or tuple(columns)
        currents = ", ".join(n for n in labels if n.startswith("I"))
        voltages = ", ".join(n for n in labels if n.startswith("V"))
        text += (
            f"\nSetupTitle, Sweep\nPrimitiveTest, I/V Sweep\nTestParameter, Channel.UnitType, SMU, SMU\n"
            f"TestParameter, Channel.IName, {currents}\nTestParameter, Channel.VName, {voltages}\n"
            "TestParameter, Channel.Mode, V, COMMON\nTestParameter, Channel.Func, VAR1, CONST\n"
            f"TestParameter, Channel.Index, \n{settings}MetaData, TestRecord.Remarks, \nOutput.Graph.XAxis.Data, V1\n"
            "AnalysisSetup, Analysis.Setup.Title, x\n"
            f"Dimension1, {', '.join(str(len(next(iter(columns.values())))) for _ in columns)}\n"
            f"DataName, {', '.join(labels)}\n"
        )
        text += "".join(f"DataValue, {line}\n" for line in rows(columns, ", ").split("\n") if line)
    return text.rstrip("\n").replace("\n", end).encode()


def workbook(sheets: dict[str, tuple[list[str], Columns]], settings: list[list[str]]) -> bytes:
    """A BIFF8 workbook of a Keithley 4200: runs, and the settings of the test behind the first."""
    import xlwt

    book = xlwt.Workbook()
    for i, (title, (names, columns)) in enumerate(sheets.items()):
        sheet = book.add_sheet(title)
        for place, (name, values) in enumerate(zip(names, columns.values(), strict=True)):
            sheet.write(0, place, name)
            for row, value in enumerate(np.atleast_1d(values), start=1):
                sheet.write(row, place, value.item() if isinstance(value, np.generic) else value)
        if i == 0:
            book.add_sheet("Calc")
            about = book.add_sheet("Settings")
            for row, cells in enumerate(settings):
                for place, text in enumerate(cells):
                    about.write(row, place, text)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


KITE = [
    ["Test Name", "pair#1@1"], ["KTEI Version", "V9.9"], [""], ["Device Terminal", "A", "B"], ["Name", "AV", "BV"],
    ["Forcing Function", "Voltage Sweep", "Common"], ["Compliance", "0.004", "0.02"], ["Speed", "Normal"],
]  # fmt: skip


def aixacct(tables: list[Columns], *, kind: str = "DynamicHysteresis", settings: str = "") -> bytes:
    """Tables of an aixACCT TF Analyzer: results, then measurements; tabs also at the ends of lines."""
    text = f"{kind}Result\n\nTable 1\nIndex [1]\tVc+ [V]\tPr+ [uC/cm2]\tCycles []\n"
    text += "".join(
        f"{i}.000000e+000\t8.000000e-001\t9.100000e+000\t1.000000e+000\n" for i in range(1, len(tables) + 1)
    )
    text += f"\n{kind}\nProgram: aixPlorer Software version 9\nTfaModule: DHM\nBasicUnit: BU\n"
    for i, columns in enumerate(tables, start=1):
        text += f"\nTable {i}\nTimestamp: 03/14/2031 01:59:26\nArea [mm2]: 0.01\nCurrent Range: 7 (10uA)\n{settings}"
        text += "Basic System: TFAnalyzer 1000 \xa9\nMeasurement Status: 0\n" + "\t".join(columns) + "\t\n"
        text += rows(columns, "\t", "{:.9e}", "\t\n")
    return text.encode("latin-1")


def lvm(columns: Columns, units: list[str], *, comma: bool = True) -> bytes:
    """A LabVIEW Measurement File: two headers, the units of the channels, X_Value, and a column of comments."""
    text = (
        "LabVIEW Measurement\t\nWriter_Version\t2\nSeparator\tTab\nDecimal_Separator\t{0}\nMulti_Headings\tYes\n"
        "X_Columns\tOne\n"
        "Date\t2031/03/14\n***End_of_Header***\t\n\t\nChannels\t2\t\t\nSamples\t41\t41\t\nDate\t2031/03/14\t2031/03/14\t\n"
        "Y_Unit_Label\t{1}\t\nX_Dimension\tTime\tTime\t\nX0\t0{0}0E+0\t0{0}0E+0\t\nDelta_X\t0{0}1\t0{0}1\t\n***End_of_Header***\t\t\t\n"
    ).format("," if comma else ".", "\t".join(units))
    _, *channels = columns
    body = "\t".join(["X_Value", *channels, "Comment"]) + "\n" + rows(columns, "\t", "{:.9g}")
    body = body.replace(".", ",") if comma else body
    return (text + body).replace("\n", "\r\n").encode()


def buffer(columns: Columns) -> bytes:
    """The buffer of a Keithley 2450: the unit of each number in the cell beside it."""
    text = (
        "Buffer Name,defbuffer1\nCapacity,100000\nBuffer Count,41\nFill Mode,CONTINUOUS\nModel,2450\nSaved,03/14/2031\n"
    )
    text += "Index,Reading,Unit,Range Digits,Math,Limit1 High,Terminal,Value,Unit,Digits,Output,Source Limit,"
    text += "Relative Time\n"
    for i, (t, V, current) in enumerate(zip(*columns.values(), strict=True), start=1):
        text += f"{i},{current:.9E},Amp DC,7,F,F,Front,{V:.9E},Volt DC,6,T,{'T' if i in (4, 5) else 'F'},{t:.6f}\n"
    return text.replace("\n", "\r\n").encode()


def radiant(columns: Columns) -> bytes:
    """A loop of Radiant Vision: settings above and below, Point counting the rows, Latin-1."""
    head = "Hysteresis Version: 9\nTask Name:\tloop\nVolts:\t4.50\nField:\t450.00\nSample Area (cm2):\t2.50e-05\n"
    head += "Points: 41   \n\n"
    counted = {"Point": np.arange(1, 1 + len(columns["t"]))} | columns
    body = "Point\tTime (ms)\tDrive Voltage\tMeasured Polarization (uC/cm2)\n" + rows(counted, "\t")
    return (head + body + "\nPMax:\t25.7\nOffset (\xb5C/cm2):\t-3.10e-01\n").replace("\n", "\r\n").encode("latin-1")


def agilent4156(columns: Columns) -> bytes:
    """A spreadsheet of an Agilent 4156C: a comment, the range, names and units in quotes."""
    head = '"sweep"\n"VA=",-0.9,"to",0.9,"in",0.1,"step"\n"NO.","VA","IA"\n"","V","A"\n'
    return (head + rows({"n": np.arange(1, 1 + len(columns["V"]))} | columns)).replace("\n", "\r\n").encode()


def pmu(columns: Columns, status: list[str]) -> bytes:
    """A waveform of a Keithley 4225-PMU: voltage, current, time and status of two channels, in a workbook."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Run1"
    book.active.append([f"PMU1_{c}_{name}" for c in (1, 2) for name in "VITS"])
    for i, (t, V, current) in enumerate(zip(*columns.values(), strict=True)):
        own, second = (
            [float(V), float(current), float(t), status[i]],
            [0.7 * float(V), 3e-3 * float(i), float(t), "01021052" if i == 2 else "01020052"],  # in compliance once
        )
        book.active.append(own + second)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def infiniivision(columns: Columns, units: str = "second,Volt,Volt") -> bytes:
    """Channels of a Keysight InfiniiVision oscilloscope, which are named by numbers."""
    return f"x-axis,1,2\n{units}\n{rows(columns, ',', '{:+.9E}')}".encode()


def mat(columns: Columns) -> bytes:
    """A MAT-file of level 5."""
    from scipy.io import savemat

    out = io.BytesIO()
    savemat(out, {name: values[:, None] for name, values in columns.items()})
    return out.getvalue()


def german(columns: Columns, names: tuple[str, ...] = ("Zeit [s]", "Spannung [V]", "Strom [µA]")) -> bytes:
    """Semicolons, a decimal comma, and Latin-1, as programs with German settings write."""
    scaled = dict(zip(names, (columns["t"], columns["V"], 1e6 * columns["I"]), strict=True))
    return (";".join(names) + "\r\n" + rows(scaled, ";", "{:.9g}", "\r\n").replace(".", ",")).encode("latin-1")
