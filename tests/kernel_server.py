"""Processes that compile kernels for all processes of a test session, which load them from disk.

A process that compiles is some 400 MB larger from then on than one that loads, and two that need a kernel at once would
both compile it. `main` is COMPILERS such processes, of which each kernel is compiled by one; `begin` starts them, and
`use` lets this process ask them.
"""

import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener, wait
from pathlib import Path
from typing import Any

PLACE = "OTJDD_KERNEL_SERVER"  # variable with the address of the server
COMPILERS = 2


def begin() -> subprocess.Popen:
    """Start the server of a session. Processes started from now on find it."""
    os.environ[PLACE] = str(Path(tempfile.mkdtemp(prefix="otjdd-kernels-"), "socket"))
    command = [sys.executable, "-c", "import kernel_server; kernel_server.main()"]
    server = subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE)
    assert server.stdout is not None
    server.stdout.readline()  # it listens, and lets who asks wait while it compiles
    return server


def end(server: subprocess.Popen) -> None:
    """End the server of a session."""
    with server:
        server.terminate()
    shutil.rmtree(Path(os.environ.pop(PLACE)).parent)


def main() -> None:
    """Compile what most tests need, then what is asked for, until the session ends."""
    with suppress(KeyboardInterrupt), Listener(os.environ[PLACE], "AF_UNIX", backlog=64) as listener:
        print("listens", flush=True)
        listener._listener._socket.setblocking(False)  # another process may take a request first
        serve(listener)


def serve(listener: Listener) -> None:
    """The same with a socket that is there. What most tests need comes first; then who asks goes before the rest.

    One process compiles what most tests need, while tests that need no kernel run beside it.
    """
    from otjdd.compiler import kernel_cache
    from otjdd.solver import self_check
    from otjdd.system.pool import ended_with_parent

    fresh, locks = kernel_cache.is_empty(), Locks(Path(os.environ[PLACE]).parent)
    forward = all([os.fork() for _ in range(1, COMPILERS)])
    with ended_with_parent():
        locks.take("what most tests need")
        self_check.verify_kernels()
        locks.leave()
        locks.use()
        kernels = list(kernel_cache.KERNELS.values())[:: 1 if forward else -1]
        rest: Iterator[bool] | None = deferred(2 * kernels if fresh else [])  # twice: deferred ones call others
        while True:
            if not wait([listener._listener._socket], None if rest is None else 0.0):
                rest = rest if next(rest, None) else None
                continue
            try:
                with listener.accept() as asking:
                    answer(asking)
            except (EOFError, OSError):  # another process has taken the request, or who asked has ended
                continue
            finally:
                locks.leave()


class Locks:
    """Files in a folder, locked by the process that makes an entry of the cache until it is written."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.own: dict[str, Any] = {}

    def take(self, key: str) -> None:
        """Wait for the lock of a key."""
        import fcntl

        file = open(self.folder / hashlib.sha256(key.encode()).hexdigest(), "w")
        fcntl.flock(file, fcntl.LOCK_EX)
        self.own[key] = file

    def leave(self, *keys: str) -> None:
        """Release the locks of keys, by default all."""
        for key in keys or list(self.own):
            self.own.pop(key).close()

    def use(self) -> None:
        """Let this process wait for an entry that another one makes. An entry needs others, which do not need it."""
        from otjdd.compiler import kernel_cache

        read, write = kernel_cache.read_entry, kernel_cache.write_entry

        def read_or_begin(name: str, arguments: Any) -> Any:
            content, key = read(name, arguments), f"{name} {arguments}"
            if content is None and key not in self.own:
                self.take(key)
                content = read(name, arguments)
                if content is not None:
                    self.leave(key)
            return content

        def write_and_leave(name: str, arguments: Any, content: object) -> None:
            write(name, arguments, content)
            if (key := f"{name} {arguments}") in self.own:
                self.leave(key)

        kernel_cache.read_entry, kernel_cache.write_entry = read_or_begin, write_and_leave


def deferred(kernels: list[Any]) -> Iterator[bool]:
    """Compile the deferred ones of kernels, one at each step."""
    for kernel in kernels:
        for arguments in list(kernel.loaded) if kernel.deferred else ():
            kernel.find(arguments)
            yield True


def answer(asking: Connection) -> None:
    """Make what is asked for, and tell if that was possible."""
    try:
        request = asking.recv()
    except ImportError:  # types of a test module, which only who asked has
        asking.send(False)
    else:
        asking.send(make(*request))


def make(module: str, name: str, arguments: Any, from_python: bool) -> bool:
    """Compile a kernel, or its entry point, for types of arguments. Returns success; who asked meets the error itself."""
    from otjdd.compiler import kernel_cache

    try:
        importlib.import_module(module)
        kernel = kernel_cache.KERNELS[name]
        kernel.entry_point.compile(arguments) if from_python else kernel.load(arguments)
    except Exception:
        return False
    return True


def ask(*request: Any) -> bool:
    """Ask the server for a kernel, see `make`. Returns success."""
    try:
        with Client(os.environ[PLACE], "AF_UNIX") as server:
            server.send(request)
            return bool(server.recv())
    except (EOFError, OSError):  # it has ended
        return False


def use() -> None:
    """Wait for the server, and let kernels of otjdd that this process does not find on disk be made by it."""
    from otjdd.compiler import kernel, kernel_cache

    ask("otjdd", "", (), False)
    place, load, load_entry = kernel_cache.folder(), kernel_cache.load, kernel.EntryPointCache.load_overload

    def asked(name: str, arguments: Any, from_python: bool) -> bool:
        module = getattr(kernel_cache.KERNELS.get(name), "__module__", "")
        own = module.startswith("otjdd.") and kernel_cache.folder() == place
        return own and ask(module, name, arguments, from_python)

    def load_or_ask(name: str, arguments: Any) -> Any:
        there = load(name, arguments)
        return load(name, arguments) if there is None and asked(name, arguments, False) else there

    def load_entry_or_ask(self: Any, arguments: Any, target: Any) -> Any:
        there = load_entry(self, arguments, target)
        return (
            load_entry(self, arguments, target) if there is None and asked(self.kernel.name, arguments, True) else there
        )

    kernel_cache.load, kernel.EntryPointCache.load_overload = load_or_ask, load_entry_or_ask
