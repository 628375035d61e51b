"""SHD101: ``os._exit(n)`` becomes ``sys.exit(n)``, which unwinds the stack.

The finding's span is the call. The rule has shown that only the main thread of a program gets there, that no clause around
it catches ``SystemExit``, and that the program has no worker that would keep it from ending. Unsafe: what runs on the way
out then runs, and may fail or wait. Checked here: ``sys`` is not shadowed where the call stands.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.imports import access
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Replace the function that is called; add ``import sys`` where it is missing."""
    call = tree.at(span, cst.Call)
    if call is None or names.code(call.func).rpartition(".")[2] != "_exit" or len(call.args) != 1:
        raise Refused("no call of `os._exit` stands here")
    if call.args[0].keyword is not None or call.args[0].star:
        raise Refused("the exit code is not given by position")
    found = access(tree, "sys", call)
    return [*found.edits, tree.edit(*tree.range(call.func), f"{found.name}.exit")]
