"""SHD108: ``exit(…)`` and ``quit(…)`` become ``sys.exit(…)``.

The finding's span is the call. The rule has shown that the name is the builtin; checked here: the call is written with
the bare name, and ``sys`` (or the name under which the file imports it) is not shadowed where the call stands.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.imports import access
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, code_of


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Replace the name of the called function; add ``import sys`` where it is missing."""
    call = tree.at(span, cst.Call)
    if call is None or not isinstance(call.func, cst.Name) or call.func.value not in ("exit", "quit"):
        raise Refused("no call of `exit` or `quit` stands here")
    found = access(tree, "sys", call)
    attribute = cst.Attribute(value=cst.Name(found.name), attr=cst.Name("exit"))
    start, end = tree.range(call.func)
    return [*found.edits, tree.edit(start, end, code_of(attribute))]
