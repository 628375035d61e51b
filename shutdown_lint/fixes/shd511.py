"""SHD511: an exception that is raised to stop the program derives from ``BaseException``.

``args["line"]`` and ``args["column"]`` are where the class stands that the handler raises. Unsafe: an ``except Exception``
that was meant to catch it no longer does. Checked here: the class has ``Exception`` for its only base, and both names are
the builtins.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, walk


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Replace the base class."""
    found = _class(tree, args)
    if len(found.bases) != 1 or found.bases[0].keyword or names.code(found.bases[0].value) != "Exception":
        raise Refused("its base is not `Exception` alone")
    if names.is_bound(tree, found, "BaseException") or names.is_bound(tree, found, "Exception"):
        raise Refused("`BaseException` means something else here")
    return [tree.edit(*tree.range(found.bases[0].value), "BaseException")]


def _class(tree: Tree, args: Mapping[str, str]) -> cst.ClassDef:
    if args.get("line", "").isdigit() and args.get("column", "").isdigit():
        start = tree.offset(int(args["line"]), int(args["column"]))
        for node in walk(tree.module):
            if isinstance(node, cst.ClassDef) and start in (tree.range(node)[0], tree.range(node.name)[0]):
                return node
    raise Refused("the class is not found")
