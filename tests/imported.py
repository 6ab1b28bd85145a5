"""What the source of a module imports and names, read from its syntax tree."""

import ast
from collections.abc import Iterable


def dotted(node: ast.AST) -> str:
    """Text of a name with its attributes, "a.b.c"; "" for what is no such name."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return before and f"{before}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def imported(nodes: Iterable[ast.AST]) -> set[str]:
    """Full names of what the nodes of a source import, and of attributes of it, which may be modules of a room.

    For `from a import b` these are a and a.b, and a.b.c where b.c is named.
    """
    nodes, names, meant = list(nodes), set(), {}
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
            meant |= {alias.asname: alias.name for alias in node.names if alias.asname}
            meant |= {first: first for alias in node.names if not alias.asname for first in [alias.name.split(".")[0]]}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
            meant |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in nodes:
        first, dot, rest = dotted(node).partition(".") if isinstance(node, ast.Attribute) else ("", "", "")
        if dot and first in meant:
            names.add(f"{meant[first]}.{rest}")
    return names
