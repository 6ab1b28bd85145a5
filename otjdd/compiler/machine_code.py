"""Machine code of kernels by LLVM: one object file for each kernel, which calls other kernels by their symbols.

All functions in an object file but the kernel itself are internal to it. A linker takes the first of several functions of
one name, so results would otherwise depend on what a process has loaded before.

The interface is that of llvmlite: https://llvmlite.readthedocs.io/en/stable/user-guide/binding
"""

import numba
from llvmlite import binding

LOADED: set[str] = set()  # symbols of kernels in this process
ENGINES: list[binding.ExecutionEngine] = []  # hold the machine code in memory


def processor() -> tuple[str, str]:
    """Name and features of this processor."""
    return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


def machine() -> binding.TargetMachine:
    """LLVM's target of this processor, with the level of optimisation of numba."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    name, abilities = processor()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=name, features=abilities, opt=int(numba.config.OPT), reloc="default", codemodel="jitdefault", jit=True
    )


def engine() -> binding.ExecutionEngine:
    """A new execution engine, which holds machine code."""
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine())


def emitted(code: str) -> bytes:
    """Object file of LLVM code, as it is."""
    return machine().emit_object(binding.parse_assembly(code))


def object_file(code: str, function: str, symbol: str) -> tuple[bytes, list[str]]:
    """Object file of LLVM code, and the symbols that it needs. function : gets the symbol; all others become internal"""
    module = binding.parse_assembly(code)
    parts = [*module.functions, *module.global_variables]
    for part in parts:
        if not part.is_declaration:
            part.linkage = "external" if part.name == function else "internal"
    module.get_function(function).name = symbol
    needed = [part.name for part in parts if part.is_declaration and not part.name.startswith("llvm.")]
    return machine().emit_object(module), needed


def is_known(symbol: str) -> bool:
    """True for a symbol of the process or of a kernel. LLVM ends the process if it cannot find one."""
    return symbol in LOADED or binding.address_of_symbol(symbol) is not None


def load(code: bytes, symbol: str) -> None:
    """Load an object file into this process, so that kernels loaded later can call its symbol. Raises ValueError."""
    if symbol in LOADED or not ENGINES:
        ENGINES.append(engine())  # an engine holds one function of a name, and a session may define a kernel again
    ENGINES[-1].add_object_file(binding.ObjectFileRef.from_data(code))
    ENGINES[-1].finalize_object()
    place = ENGINES[-1].get_function_address(symbol)
    if not place:
        raise ValueError(f"{symbol} is not in its object file")
    binding.add_symbol(symbol, place)
    LOADED.add(symbol)


def address(symbol: str) -> int:
    """Address of what was loaded last under a symbol."""
    place: int = binding.address_of_symbol(symbol)
    return place
