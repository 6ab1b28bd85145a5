"""Exports of a compact model in use.

python -m validation.exports digits DIR     train a network on digits with the device and with an ideal one
python -m validation.exports aihwkit DIR    run the preset in a real tile of aihwkit against our update rule

DIR is what `otjdd compact CASE -o DIR` wrote. digits needs scikit-learn for its 1797 digits of 8 x 8 pixels.
"""

import runpy
import sys
from pathlib import Path

import numpy as np

from otjdd.compact_models.model import CompactModel
from otjdd.exports import aihwkit, neurosim

SEED, EPOCHS, RATE = 1, 20, 0.02
GAIN = 6.0  # of the logits: weights are between -1 and 1


def main(arguments: list[str]) -> int:
    """Exit code of a command line."""
    if len(arguments) != 2 or arguments[0] not in ("digits", "aihwkit"):
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(arguments[1])
    return digits(folder) if arguments[0] == "digits" else tile(folder)


def digits(folder: Path) -> int:
    """Print the accuracies of a layer of 64 x 10 weights that was trained with both devices."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x, order = np.column_stack((x / 16.0, np.ones(len(x)))), np.random.default_rng(SEED).permutation(len(x))
    train, test = order[:1400], order[1400:]
    device = aihwkit.steps(neurosim.pulsed(CompactModel.load(folder / "model.nc")))
    even = np.ones(aihwkit.NODES)
    ideal = aihwkit.Steps(device.dw_min, 0.0, even, even, 0.0)
    for name, steps in (("ideal device", ideal), ("tunnel junction", device), ("pairs of junctions", device)):
        found = trained(x[train], y[train], steps, name.startswith("pairs"))
        print(f"{name}: {(np.argmax(x[test] @ found, axis=1) == y[test]).mean():.3f} of {len(test)} digits right")
    return 0


def trained(x: np.ndarray, y: np.ndarray, steps: aihwkit.Steps, pairs: bool) -> np.ndarray:
    """Weights (65, 10) after training by pulses: as many as the gradient asks for, the fraction by chance.

    pairs : a weight is the difference of two junctions, of which only the upward pulses are used; both are set back to
    the middle of their range, by the same amount, when one is at its end.
    """
    rng = np.random.default_rng(SEED)
    plus, minus = np.zeros((x.shape[1], 10)), np.zeros((x.shape[1], 10))
    if pairs:
        plus, minus = plus - 0.9, minus - 0.9
    for _ in range(EPOCHS):
        for i in rng.permutation(len(x)):
            w = 0.5 * (plus - minus) if pairs else plus
            z = GAIN * x[i] @ w
            p = np.exp(z - z.max())
            p /= p.sum()
            p[y[i]] -= 1.0
            change = -RATE * np.outer(x[i], p) / steps.dw_min
            count = np.floor(np.abs(change) + rng.random(change.shape)).astype(int)
            for n in range(1, count.max() + 1):
                now = count >= n
                if pairs:
                    plus = np.where(now & (change > 0), aihwkit.updated(steps, plus, True), plus)
                    minus = np.where(now & (change < 0), aihwkit.updated(steps, minus, True), minus)
                else:
                    plus = np.where(now, aihwkit.updated(steps, plus, change > 0), plus)
            if pairs:
                full = np.maximum(plus, minus) > 0.9
                low = np.where(full, np.minimum(plus, minus) + 0.9, 0.0)
                plus, minus = plus - low, minus - low
    return 0.5 * (plus - minus) if pairs else plus


def tile(folder: Path) -> int:
    """Print how far a real tile is from our update rule after pulses up and down."""
    try:
        import torch
        from aihwkit.simulator.configs import SingleRPUConfig
        from aihwkit.simulator.tiles import AnalogTile
    except ImportError as error:
        print(f"aihwkit is not installed here ({error})", file=sys.stderr)
        return 1
    device = runpy.run_path(str(folder / "aihwkit_preset.py"))["otj_device"]()
    steps = aihwkit.steps(neurosim.pulsed(CompactModel.load(folder / "model.nc")))
    rpu = AnalogTile(1, 1, SingleRPUConfig(device=device))
    rpu.tile.set_weights(torch.zeros(1, 1))
    rpu.set_learning_rate(device.dw_min)
    w, worst = 0.0, 0.0
    for up in [True] * 20 + [False] * 20:
        rpu.update(torch.ones(1, 1), torch.full((1, 1), -1.0 if up else 1.0))
        w = float(aihwkit.updated(steps, w, up))
        worst = max(worst, abs(float(rpu.tile.get_weights()[0, 0]) - w))
    print(f"largest distance of a weight: {worst:.2g}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
