"""SHD103: a process that kills itself ends by ``sys.exit``, with the code that a shell shows for the signal.

The finding's span is the call, ``args["code"]`` the exit code: 137 for SIGKILL, 134 for ``os.abort()`` (128 and the number
of the signal). The rule has shown the same as for SHD101. Unsafe: what runs on the way out then runs; the parent sees an
exit code in the place of a signal; an abort wrote a core file. Checked here: the call is a statement of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.blocks import own_statement
from shutdown_lint.fixes.imports import access
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, comments


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Replace the call; add ``import sys`` where it is missing."""
    call = tree.at(span, cst.Call)
    if call is None or not args.get("code", "").isdigit() or comments(call):
        raise Refused("no call that kills the process stands here")
    own_statement(tree, call)
    found = access(tree, "sys", call)
    return [*found.edits, tree.edit(*tree.range(call), f"{found.name}.exit({args['code']})")]
