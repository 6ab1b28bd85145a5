"""The example of MLP+NeuroSim 3.0, with the exported cell in the place of its own and the digits of scikit-learn for MNIST.

A checkout of github.com/neurosim/MLP_NeuroSim_V3.0 is copied and changed as its manual says: numbers of the cell in
Cell.cpp, sizes of the network in Param.cpp, the kind of cell in main.cpp, four text files of the images. A compiler
builds the copy.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

TRAIN, HIDDEN, EPOCHS = 1000, 50, 40  # images, neurons (no more than pixels: the example reads beyond arrays), turns
PIXELS = 64
COLUMNS = "cell", "best accuracy:", "last:", "energy of writes:", "of reads:", "latency of writes:", "of reads:"
NUMBERS = re.compile(r"^(\w+) = (.+);$", re.MULTILINE)
NOT_COPIED = ".git", "*.zip", "*.pdf", "main"  # of the checkout


class Outcome(NamedTuple):
    """What the example prints at the end of its training."""

    accuracy: np.ndarray  # (EPOCHS,) of the test images, after each turn
    totals: dict[str, float]  # "Write energy" [J] and so on, of the whole training and of all tests

    @property
    def row(self) -> tuple[str, ...]:
        """Best and last accuracy, energy and latency of writes and of reads."""
        totals = self.totals
        return (
            f"{self.accuracy.max():.1f} %", f"{self.accuracy[-1]:.1f} %", f"{totals['Write energy'] / 1e-6:.3g} uJ",
            f"{totals['Read energy'] / 1e-6:.3g} uJ", f"{totals['Write latency']:.3g} s",
            f"{totals['Read latency']:.3g} s",
        )  # fmt: skip


def images(folder: Path) -> None:
    """Write the digits as the example reads them: a line for each pixel of all images, 0 to 1, and the labels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(x))
    for part, count, which in (("train", 60000, order[:TRAIN]), ("test", 10000, order[TRAIN:])):
        np.savetxt(folder / f"patch{count}_{part}.txt", x[which].T / 16.0, fmt="%.4f")
        np.savetxt(folder / f"label{count}_{part}.txt", y[which], fmt="%d")


def with_numbers(text: str, values: dict[str, str]) -> str:
    """C++ with other values where a variable is first assigned one. Raises ValueError for a name that is not there."""
    for name, value in values.items():
        text, count = re.subn(rf"(?m)^(\s*{name}\s*=\s*)[^;]+;", rf"\g<1>{value};", text, count=1)
        if not count:
            raise ValueError(f"expected an assignment of {name} in the source of NeuroSim, got none")
    return text


def with_cell(text: str, block: str, device: str) -> str:
    """Cell.cpp whose `device` has the numbers of an exported block as far as it has them."""
    begin = text.index(f"{device}::{device}(")
    end = text.index(f"double {device}::Read(", begin)
    own = text[begin:end]
    values = {name: value for name, value in NUMBERS.findall(block) if re.search(rf"\b{name}\b\s*=", own)}
    return text[:begin] + with_numbers(own, values) + text[end:]


def with_devices(text: str, device: str) -> str:
    """main.cpp with cells of a class, and one thread: 16 wait for each other on fewer cores."""
    text = re.sub(r"(?m)^(\s*array\w\w->Initialization)<RealDevice>", rf"\1<{device}>", text)
    return re.sub(r"omp_set_num_threads\(\d+\)", "omp_set_num_threads(1)", text)


def outcome(checkout: Path, device: str, block: str = "") -> Outcome:
    """Train the example. device : class of its cells   block : an exported cell.txt, "" for the numbers of the example

    Raises subprocess.CalledProcessError where it is not compiled or does not end well.
    """
    count = {"numMnistTrainImages": TRAIN, "numMnistTestImages": 1797 - TRAIN, "numTrainImagesPerEpoch": TRAIN}
    sizes = count | {"totalNumEpochs": EPOCHS, "nInput": PIXELS, "nHide": HIDDEN}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(checkout, folder, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
        images(folder)
        changed: dict[str, Callable[[str], str]] = {
            "Param.cpp": lambda text: with_numbers(text, {key: str(value) for key, value in sizes.items()}),
            "Cell.cpp": lambda text: with_cell(text, block, device) if block else text,
            "main.cpp": lambda text: with_devices(text, device),
        }
        for file, change in changed.items():
            (folder / file).write_text(change((folder / file).read_text(errors="replace")))
        subprocess.run(["make", "main"], cwd=folder, check=True, capture_output=True)
        done = subprocess.run(["./main"], cwd=folder, check=True, capture_output=True, text=True, errors="replace")
    accuracy = [float(value) for value in re.findall(r"Accuracy at \d+ epochs is : ([\d.]+)", done.stdout)]
    totals = re.findall(r"(Read|Write) (latency|energy)=(\S+)", done.stdout)[-4:]
    return Outcome(np.array(accuracy), {f"{first} {last}": float(value) for first, last, value in totals})
