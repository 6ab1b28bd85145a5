"""Decorators of the kernels: each is `numba.njit` with options, and with machine code kept on disk (`kernel_cache`).

All kernels divide as numpy does (no ZeroDivisionError): with Python's check in a loop, LLVM does not vectorise it.

| decorator | for | what it does |
|---|---|---|
| @kernel | small functions that make arrays | the plain case |
| @apart | large functions that make arrays | not inlined: compiled once and called by symbol, which saves compile time |
| @spliced | small functions with one or two callers | its statements become part of the caller; saves a compilation |
| @bare | small functions that make no array | no reference counting of arrays |
| @detached | large functions that make no array | @bare and @apart |
| @inlined | small functions that are called often | @bare, and LLVM must inline it |
| @fused | loops of multiply and add | @bare, and a product that is added may be rounded once (FMA) |
| @detached_fused | the same, large | @fused and @apart |
| @summed | sums over cells | @fused, and a sum may be taken in any order, so it is vectorised |
| @loose | loops over energies | @summed, and no value may be infinite or nan |

Reference counting. A kernel receives dozens of arrays in named tuples, and numba counts a reference for each at each call,
with atomic additions. Without counting a run takes 3.4 to 4.4 times less. A kernel without counting must not make an
array, which would never be freed. Public witnesses: issues #2345, #2350 and #1833 of github.com/numba/numba.

Calls by symbol. numba compiles a function whole and links a copy of all its callees into it, so the compile time of a chain
of functions grows with the square of its length: see pull requests #9566 and #9570 there, and issues #9483 and #8396.
Large tuples are passed by their address (`held_tuples`), so a call by symbol is cheap, and everything but the smallest
functions stands apart. All kernels of a run then compile in some 35 s of one processor, where they took 150.

Rounding. The options of floating point are given to single kernels, where their error was measured. Free reordering, for
example, breaks `numerics.exponential`, which rounds by adding a number and subtracting it: its error grows from 3e-16
to 0.4.
"""

from otjdd.compiler.kernel_cache import njit

# Nothing calls a kernel from C. All options are given: numba takes others from the caller that it compiles first.
COMMON = {
    "cache": True, "error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False, "fastmath": False, "forceinline": False,
}  # fmt: skip
SUMS = {"contract", "reassoc", "nsz"}
kernel = njit(**COMMON | {"_nrt": True})
apart = njit(**COMMON | {"_nrt": True}, apart=True)
spliced = njit(**COMMON, inline="always")
bare = njit(**COMMON)
detached = njit(**COMMON, apart=True)
inlined = njit(**COMMON | {"forceinline": True})
fused = njit(**COMMON | {"fastmath": {"contract"}})
detached_fused = njit(**COMMON | {"fastmath": {"contract"}}, apart=True)
summed = njit(**COMMON | {"fastmath": SUMS})
loose = njit(**COMMON | {"fastmath": True})
