"""SHD509: ``asyncio.gather`` of several closes waits for all of them: ``return_exceptions=True``.

The finding's span is the call. Unsafe: the errors of the closes are no longer raised. Checked here: it is awaited as a
statement of its own, so that nobody takes the exceptions for results; the argument is not there yet.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.blocks import own_statement
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Add the argument behind the last one."""
    call = tree.at(span, cst.Call)
    if call is None or not call.args:
        raise Refused("no call of `gather` stands here")
    if any(arg.keyword is not None or arg.star == "**" for arg in call.args):
        raise Refused("the call has keyword arguments already")
    if not isinstance(own_statement(tree, call).value, cst.Await):
        raise Refused("the call is not awaited as a statement of its own")
    end = tree.range(call.args[-1])[1]
    return [tree.edit(end, end, ", return_exceptions=True")]
