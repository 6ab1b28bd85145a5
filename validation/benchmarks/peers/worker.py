"""Script that runs cases with one state of the code. Requests and answers are lines of JSON.

It is started with the folder of that state on the path of modules, and calls only functions that all states of the code
have: `otjdd.load_case` and `otjdd.run`. A request is {"case": file, "set": {key: value}}. The answer holds the reads [ohm],
the processor and wall time of the run [s] and the counts of the solver, or {"refused": text} for an unknown key.
"""

import json
import logging
import os
import sys
import time

import otjdd


def answer(asked: dict) -> dict:
    """One run."""
    try:
        case = otjdd.load_case(asked["case"], asked["set"])
    except otjdd.CaseError as error:
        return {"refused": str(error)}
    began, clock = time.process_time(), time.perf_counter()
    ds = otjdd.run(case)
    seconds, wall = time.process_time() - began, time.perf_counter() - clock
    counts = {name: int(ds.attrs.get(f"solver_{name}", 0)) for name in ("accepted", "rejected", "currents")}
    return {"reads": ds["read_resistance"].values.tolist(), "seconds": seconds, "wall": wall, "counts": counts}


if __name__ == "__main__":
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # prints of a run must not look like answers
    # the device of the cases is beyond the limits of the model: known, and said once for each of some hundred runs
    logging.getLogger("otjdd.solver.model_limits").setLevel(logging.ERROR)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=out, flush=True)
