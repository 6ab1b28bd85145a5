"""How kernels are compiled: by Numba, kept on disk, with numpy's rules for division: without them no loop is vectorised.

@kernel   anything
@spliced  anything that is called at one place: its text goes into its caller, which saves a compilation of its own
@apart    anything large: it is called by name, where the code of others goes into that of all their callers once more
@bare     does not count references to arrays, and so may not make any: a kernel that is called thousands of times a
          second with the dozens of arrays of a junction would spend a third of its time on counting
@detached bare and apart
@inlined  bare, and made part of its caller: handing over a junction means copying five kilobytes of array headers
@fused    bare, and a product that is added may be rounded once
@summed   fused, and sums are taken in the order of the compiler
@loose    summed, and nothing is taken to be infinite or nan
"""

from otjdd.physics.jit_cache import njit

# Nothing calls a kernel from C.
COMMON = {"cache": True, "error_model": "numpy", "no_cfunc_wrapper": True}
kernel = njit(**COMMON, _nrt=True)  # said, for what is not said a kernel takes over from its caller
apart = njit(**COMMON, _nrt=True, apart=True)
spliced = njit(**COMMON, inline="always")
bare = njit(**COMMON, _nrt=False)
detached = njit(**COMMON, _nrt=False, apart=True)
inlined = njit(**COMMON, _nrt=False, forceinline=True)
fused = njit(**COMMON, _nrt=False, fastmath={"contract"})
summed = njit(**COMMON, _nrt=False, fastmath={"contract", "reassoc", "nsz"})
loose = njit(**COMMON, _nrt=False, fastmath=True)
