"""Cases for measurements of speed: the reference device without electrons in its film. Calibrations do not change them."""

from pathlib import Path

CASES = Path(__file__).parents[1] / "validation" / "benchmarks" / "peers" / "cases"
