"""Lowering of imports."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from shutdown_lint.facts import ImportName
from shutdown_lint.lower.scope import normal


def lower_import(node: cst.Import) -> tuple[ImportName, ...]:
    """``import a.b`` binds ``a``; ``import a.b as c`` binds ``c`` to ``a.b``."""
    return tuple(_import_name(alias) for alias in node.names)


def _import_name(alias: cst.ImportAlias) -> ImportName:
    module = dotted(alias.name)
    bound = _asname(alias)
    return ImportName(bound or module.partition(".")[0], module, None, 0)


def lower_import_from(node: cst.ImportFrom) -> tuple[ImportName, ...]:
    """``from m import a as b, c``; ``from m import *`` has the local name ``*``."""
    module, level = dotted(node.module) if node.module else "", len(node.relative)
    if isinstance(node.names, cst.ImportStar):
        return (ImportName("*", module, "*", level),)
    return tuple(
        ImportName(_asname(alias) or dotted(alias.name), module, dotted(alias.name), level) for alias in node.names
    )


def _asname(alias: cst.ImportAlias) -> str | None:
    if alias.asname and isinstance(alias.asname.name, cst.Name):
        return normal(alias.asname.name.value)
    return None


def dotted(node: cst.BaseExpression) -> str:
    """The text of a dotted name."""
    return ".".join(reversed(list(_parts(node))))


def _parts(node: cst.BaseExpression) -> Iterator[str]:
    while isinstance(node, cst.Attribute):
        yield normal(node.attr.value)
        node = node.value
    if isinstance(node, cst.Name):
        yield normal(node.value)
