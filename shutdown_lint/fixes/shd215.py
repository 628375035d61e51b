"""SHD215: ``executor.shutdown()`` on the way out drops the jobs that have not begun: ``cancel_futures=True``.

The finding's span is the call of ``shutdown``. Unsafe: jobs that are still queued are cancelled. Checked here: it is that
call, and does not unpack arguments; for an executor that is left by ``with`` there is no fix.
"""

from __future__ import annotations

from collections.abc import Mapping

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.blocks import call_at
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, comments


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Add the argument behind those that are there."""
    call = call_at(tree, span, "shutdown")
    if any(arg.star for arg in call.args) or comments(call):
        raise Refused("the arguments are not written out")
    if not call.args:
        end = tree.range(call)[1] - 1
        return [tree.edit(end, end, "cancel_futures=True")]
    end = tree.range(call.args[-1].value)[1]
    return [tree.edit(end, end, ", cancel_futures=True")]
