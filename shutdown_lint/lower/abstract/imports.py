"""Lowering of imports."""

from __future__ import annotations

import ast

from shutdown_lint.facts import ImportName
from shutdown_lint.lower.scope import imported


def lower_import(node: ast.Import) -> tuple[ImportName, ...]:
    """``import a.b`` binds ``a``; ``import a.b as c`` binds ``c`` to ``a.b``."""
    return tuple([imported(alias.name, alias.asname) for alias in node.names])


def lower_import_from(node: ast.ImportFrom) -> tuple[ImportName, ...]:
    """``from m import a as b, c``; ``from m import *`` has the local name ``*``."""
    module, level = node.module or "", node.level
    return tuple([ImportName(alias.asname or alias.name, module, alias.name, level) for alias in node.names])
