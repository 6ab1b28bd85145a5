"""How kernels are compiled: by Numba, kept on disk, with numpy's rules for division: without them no loop is vectorised.

@kernel   anything
@bare     does not count references to arrays, and so may not make any: a kernel that is called thousands of times a
          second with the dozens of arrays of a junction would spend a third of its time on counting
@fused    bare, and a product that is added may be rounded once
@summed   fused, and sums are taken in the order of the compiler
"""

from otjdd.compiled import njit

COMMON = {"cache": True, "error_model": "numpy"}
kernel = njit(**COMMON)
spliced = njit(**COMMON, inline="always")
bare = njit(**COMMON, _nrt=False)
inlined = njit(**COMMON, _nrt=False, forceinline=True)
fused = njit(**COMMON, _nrt=False, fastmath={"contract"})
summed = njit(**COMMON, _nrt=False, fastmath={"contract", "reassoc", "nsz"})
loose = njit(**COMMON, _nrt=False, fastmath=True)
