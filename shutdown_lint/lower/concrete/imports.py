"""Lowering of imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shutdown_lint.facts import ImportName
from shutdown_lint.lower.concrete.cursor import Cursor
from shutdown_lint.lower.scope import imported, normal

if TYPE_CHECKING:
    import libcst as cst
else:
    from shutdown_lint.lower.concrete.nodes import cst


def lower_import(node: cst.Import, cursor: Cursor) -> tuple[ImportName, ...]:
    """``import a.b`` binds ``a``; ``import a.b as c`` binds ``c`` to ``a.b``."""
    cursor.take("import")
    return tuple([_import_name(alias, cursor) for alias in node.names])


def _import_name(alias: cst.ImportAlias, cursor: Cursor) -> ImportName:
    module, bound = _alias(alias, cursor)
    return imported(module, bound)


def lower_import_from(node: cst.ImportFrom, cursor: Cursor) -> tuple[ImportName, ...]:
    """``from m import a as b, c``; ``from m import *`` has the local name ``*``."""
    cursor.take("from")
    level = len(node.relative)
    for _ in range(level):
        cursor.take(".")
    module = _dotted(node.module, cursor) if node.module else ""
    cursor.take("import")
    if isinstance(node.names, cst.ImportStar):
        cursor.take("*")
        return (ImportName("*", module, "*", level),)
    bracket = cursor.skip("(")
    aliases = [_alias(alias, cursor) for alias in node.names]
    if bracket:
        cursor.take(")")
    return tuple([ImportName(bound or name, module, name, level) for name, bound in aliases])


def _alias(alias: cst.ImportAlias, cursor: Cursor) -> tuple[str, str | None]:
    """The name that is imported, and the one that it is given."""
    name, bound = _dotted(alias.name, cursor), None
    if alias.asname and isinstance(alias.asname.name, cst.Name):
        bound = alias.asname.name.value
        cursor.take("as")
        cursor.take(bound)
        bound = normal(bound)
    cursor.skip(",")
    return name, bound


def _dotted(node: cst.BaseExpression, cursor: Cursor) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if isinstance(node, cst.Name):
        parts.append(node.value)
    parts.reverse()
    for number, part in enumerate(parts):
        if number:
            cursor.take(".")
        cursor.take(part)
    return ".".join(map(normal, parts))
