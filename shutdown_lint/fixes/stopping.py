"""New lines for the method by which an object is stopped: what it has to tell and to wait for comes before the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst

from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.blocks import insert, only, parts, step
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def method(tree: Tree, args: Mapping[str, str]) -> cst.FunctionDef:
    """The method whose name stands at ``args["line"]`` and ``args["column"]``. Raises ``Refused``."""
    if args.get("line", "").isdigit() and args.get("column", "").isdigit():
        start = tree.offset(int(args["line"]), int(args["column"]))
        for node in names.definitions(tree):
            if isinstance(node, cst.FunctionDef) and start in (tree.range(node)[0], tree.range(node.name)[0]):
                if not isinstance(node.body, cst.IndentedBlock):
                    raise Refused("the method that stops it is written on one line")
                return node
    raise Refused("the method that stops it is not found")


def add(tree: Tree, stop: cst.FunctionDef, lines: Sequence[str], flag: str) -> Edit:
    """The lines behind what tells others to stop: behind the flag's statement, else behind the first flags and events."""
    body = list(stop.body.body)
    about = [n for n, line in enumerate(body) if flag and _mentions(line, flag)]
    leading = 0
    while leading < len(body) and (_is_docstring(body[leading], leading) or _tells(body[leading])):
        leading += 1
    number = max(about[-1] + 1 if about else 0, leading)
    if number == 0:
        return insert(tree, body[0], lines, before=True)
    return insert(tree, body[number - 1], lines)


def guarded(tree: Tree, stop: cst.FunctionDef, test: str, lines: Sequence[str]) -> list[str]:
    """The lines of the method under an ``if``, where there is a test."""
    inner = step(tree, stop.body.body[0])
    return [f"if {test}:", *(f"{inner}{line}" for line in lines)] if test else list(lines)


def _mentions(statement: cst.CSTNode, name: str) -> bool:
    return any(names.code(node) == f"self.{name}" for node in parts(statement) if isinstance(node, cst.Attribute))


def _is_docstring(statement: cst.CSTNode, number: int) -> bool:
    expression = only(statement, cst.Expr)
    return number == 0 and expression is not None and isinstance(expression.value, cst.SimpleString)


def _tells(statement: cst.CSTNode) -> bool:
    """``self.running = False``, ``self._stop.set()``."""
    assign, expression = only(statement, cst.Assign), only(statement, cst.Expr)
    if assign is not None:
        return isinstance(assign.value, cst.Name) and assign.value.value in ("True", "False")
    call = expression.value if expression is not None else None
    return isinstance(call, cst.Call) and not call.args and names.code(call.func).endswith(".set")
