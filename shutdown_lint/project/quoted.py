"""Annotations written as strings (PEP 484, forward references): ``"list[Worker] | None"`` as an expression."""

from __future__ import annotations

import ast

from shutdown_lint.facts import Attr, Const, Expr, Name, Op, Seq, Subscript


def quoted(source: str) -> Expr | None:
    """The expression in the string; None where it is none that names types."""
    try:
        return _expr(ast.parse(source.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _expr(node: ast.expr) -> Expr | None:
    if isinstance(node, ast.Name):
        return Name(node.id)
    if isinstance(node, ast.Constant):
        return Const(node.value) if node.value is None or isinstance(node.value, str) else None
    if isinstance(node, ast.Attribute):
        value = _expr(node.value)
        return None if value is None else Attr(value, node.attr)
    if isinstance(node, ast.Subscript):
        value, key = _expr(node.value), _expr(node.slice)
        return None if value is None or key is None else Subscript(value, key)
    if isinstance(node, ast.Tuple):
        return Seq("tuple", tuple(item for item in map(_expr, node.elts) if item is not None))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return Op("|", tuple(item for item in map(_expr, (node.left, node.right)) if item is not None))
    return None
