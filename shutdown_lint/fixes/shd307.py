"""SHD307: ``signal.signal(S, handler)`` in a coroutine becomes ``add_signal_handler(S, handler, S, None)`` of the running loop.

The finding's span is the installing call. The loop then runs the handler between two steps of its own, and is awake for
what it sets. Unsafe: the handler no longer breaks into code that blocks the loop, and Windows has no such handlers. The
rule has shown that the handler raises nothing. Checked here: the call is a statement of its own in a coroutine, the signal
is a plain name; ``frame``, which the loop does not know, is not used by the handler.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.blocks import function, own_statement
from shutdown_lint.fixes.imports import access
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, walk


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Call the loop's method; hand the number on, and no frame."""
    call = tree.at(span, cst.Call)
    if call is None or names.code(call.func).rpartition(".")[2] != "signal" or len(call.args) != 2:
        raise Refused("no call of `signal.signal` stands here")
    own_statement(tree, call)
    around = function(tree, call)
    if not isinstance(around, cst.FunctionDef) or around.asynchronous is None:
        raise Refused("the handler is not installed in a coroutine, where the loop is known")
    number, handler = call.args
    if not names.code(number.value) or any(arg.keyword or arg.star for arg in call.args):
        raise Refused("the signal is not a plain name")
    if isinstance(handler.value, cst.Lambda) and _uses_frame(handler.value):
        raise Refused("the handler uses the frame")
    loop = access(tree, "asyncio", call)
    end = tree.range(handler.value)[1]
    given = [tree.edit(end, end, f", {tree.code(number.value)}, None")]
    if isinstance(handler.value, cst.Lambda) and not _params(handler.value) and not handler.value.params.star_arg:
        raise Refused("the handler takes no arguments")
    return [
        *loop.edits,
        tree.edit(*tree.range(call.func), f"{loop.name}.get_running_loop().add_signal_handler"),
        *given,
    ]


def _params(handler: cst.Lambda) -> list[str]:
    return [param.name.value for param in (*handler.params.posonly_params, *handler.params.params)]


def _uses_frame(handler: cst.Lambda) -> bool:
    """Whether the body names the second parameter, or all of them at once."""
    star = handler.params.star_arg
    frame = [*_params(handler)[1:2], *([star.name.value] if isinstance(star, cst.Param) else [])]
    return any(isinstance(node, cst.Name) and node.value in frame for node in walk(handler.body))
