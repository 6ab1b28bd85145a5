"""From Python to machine code: decorators of the kernels, tuples that they take by address, and their files on disk.

numba is imported here first, so that it does not read `.numba_config.yaml` from the working folder. numba looks for that
file at each compilation. Processes that trust nothing in the working folder (the commands of otjdd, `python -P`) never read
it; in a user's session numba works as it does without otjdd.
"""

import sys
import warnings

from otjdd.system import interpreter
from otjdd.system.interpreter import absent, in_own_folder

if "numba" not in sys.modules:
    trusting = not (interpreter.OWN or sys.flags.safe_path)
    with in_own_folder(), absent(*() if trusting else ("yaml",)):
        import numba  # noqa: F401
    if not trusting:
        warnings.filterwarnings("ignore", ".*Numba config file is found but YAML.*")
