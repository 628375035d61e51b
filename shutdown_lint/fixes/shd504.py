"""SHD504: ``suppress(BaseException)`` becomes ``suppress(Exception)``; other requests to stop are taken out of the list.

The finding's span is the call of ``contextlib.suppress``. Unsafe: what was suppressed on purpose now ends the work.
Checked here: a type is left to suppress.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, comments

_STOPPING = ("KeyboardInterrupt", "SystemExit", "CancelledError")


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Rewrite the list of types."""
    call = tree.at(span, cst.Call)
    if call is None or not call.args or any(arg.star or arg.keyword for arg in call.args) or comments(call):
        raise Refused("no plain list of types stands here")
    written = [tree.code(arg.value) for arg in call.args]
    last = [names.code(arg.value).rpartition(".")[2] for arg in call.args]
    if not all(last):
        raise Refused("a type is not given by its name")
    kept = [text for text, name in zip(written, last, strict=True) if name not in (*_STOPPING, "BaseException")]
    if "BaseException" in last:
        if names.is_bound(tree, call, "Exception"):
            raise Refused("`Exception` means something else here")
        kept = ["Exception"]
    if not kept:
        raise Refused("nothing would be left to suppress")
    start, end = tree.range(call.args[0].value)[0], tree.range(call.args[-1].value)[1]
    return [tree.edit(start, end, ", ".join(kept))]
