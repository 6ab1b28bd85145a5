"""From Python to machine code: decorators of the kernels, tuples that they take by address, and their files on disk.

Here numba is imported for all of them, so that it does not read `.numba_config.yaml` from the working folder. Where a
program has imported numba before, that program's settings hold.
"""

import sys

from otjdd.system.imports import elsewhere

if "numba" not in sys.modules:
    with elsewhere():
        import numba
    numba.config._config_fname = ""  # which numba would look for again at each compilation
