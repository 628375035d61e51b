"""SHD406: a killed child is waited for, so that it leaves the process table.

The finding's span is the call of ``kill()`` or ``terminate()`` on a ``subprocess.Popen`` for which nobody waits. After a
``kill()`` comes ``wait()``, which SIGKILL keeps short. A child may ignore ``terminate()``: there the wait has a limit, and
a ``kill()`` behind it (unsafe, as it takes that time). Checked here: the call is a statement of its own on a plain name,
not in a coroutine, whose loop the wait would block.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.blocks import append, call_at, function, insert, own_statement, receiver, site, step
from shutdown_lint.fixes.imports import access
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree

GRACE = 5  # seconds between SIGTERM and SIGKILL


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Add the wait behind the statement."""
    call = call_at(tree, span, "kill", "terminate")
    child, statement = receiver(call), own_statement(tree, call)
    around = function(tree, call)
    if isinstance(around, cst.FunctionDef) and around.asynchronous is not None:
        raise Refused("the wait would block the event loop")
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == "kill":
        return [append(tree, statement, (f"{child}.wait()",))]
    found = access(tree, "subprocess", call)
    line = site(tree, statement).node
    return [*found.edits, insert(tree, line, escalation(child, found.name, step(tree, line)))]


def escalation(child: str, module: str, inner: str) -> tuple[str, ...]:
    """Wait with a limit, then kill and wait; ``inner`` is a level of indentation."""
    return (
        "try:",
        f"{inner}{child}.wait(timeout={GRACE})",
        f"except {module}.TimeoutExpired:",
        f"{inner}{child}.kill()",
        f"{inner}{child}.wait()",
    )
