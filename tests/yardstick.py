"""The reference device without electrons in its film, kept for measurements of speed: no calibration moves its numbers."""

from pathlib import Path

CASES = Path(__file__).parents[1] / "validation" / "peers" / "cases"
