"""SHD405: a wait for a child that was asked to end gets a limit, and a ``kill()`` behind it.

The finding's span is the call of ``wait()`` (``Popen``) or ``join()`` (``Process``), without a limit. Unsafe: a child that
takes longer to clean up is killed. Checked here: the call is a statement of its own on a plain name, not in a coroutine.

========================  =====================================================
before                    after
========================  =====================================================
``child.wait()``          ``try:``
..                        ``    child.wait(timeout=5)``
..                        ``except subprocess.TimeoutExpired:``
..                        ``    child.kill()``
..                        ``    child.wait()``
``process.join()``        ``process.join(timeout=5)``
..                        ``if process.is_alive():``
..                        ``    process.kill()``
..                        ``    process.join()``
========================  =====================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.blocks import call_at, function, indent, own_statement, receiver, site, step
from shutdown_lint.fixes.imports import access
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.shd406 import GRACE, escalation
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Replace the statement by the escalation."""
    call = call_at(tree, span, "wait", "join")
    child, statement = receiver(call), own_statement(tree, call)
    around = function(tree, call)
    if call.args or isinstance(statement.value, cst.Await):
        raise Refused("the wait has a limit, or is awaited")
    if isinstance(around, cst.FunctionDef) and around.asynchronous is not None:
        raise Refused("the wait stands in a coroutine")
    line = site(tree, statement).node
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == "join":
        return [_instead(tree, line, _of_process(child, step(tree, line)))]
    found = access(tree, "subprocess", call)
    return [*found.edits, _instead(tree, line, escalation(child, found.name, step(tree, line)))]


def _of_process(child: str, inner: str) -> tuple[str, ...]:
    return (
        f"{child}.join(timeout={GRACE})",
        f"if {child}.is_alive():",
        f"{inner}{child}.kill()",
        f"{inner}{child}.join()",
    )


def _instead(tree: Tree, line: cst.CSTNode, lines: Sequence[str]) -> Edit:
    """The lines in the place of a statement; the comment behind it stands behind the last of them."""
    return tree.edit(*tree.range(line), f"\n{indent(tree, line)}".join(lines))
