"""SHD404: ``time.sleep(n)`` in a loop becomes ``stop.wait(n)`` on the event that the loop tests.

The finding's span is the call; ``args["event"]`` is the event as the loop names it, which the rule has shown to be a
``threading.Event``. Checked here: the call is a statement of its own with one positional argument, in a loop
``while not event.is_set():``. With ``args["last"]`` set it is the last that the loop's body does, so that the loop's test
comes next either way; elsewhere what follows runs once more, at once, when the event is set.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.blocks import own_statement
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Replace the function that is called."""
    call, event = tree.at(span, cst.Call), args.get("event", "")
    if call is None or not names.code(call.func).endswith("sleep"):
        raise Refused("no sleep stands here")
    if len(call.args) != 1 or call.args[0].star or (call.args[0].keyword is not None):
        raise Refused("the sleep does not have one argument")
    statement = own_statement(tree, call)
    loop = next((node for node in tree.ancestors(statement) if isinstance(node, (cst.While, cst.For))), None)
    if not isinstance(loop, cst.While) or _tested(loop.test) != event:
        raise Refused("the loop around it does not test the event itself")
    if any(isinstance(node, (cst.FunctionDef, cst.Lambda)) for node in _between(tree, statement, loop)):
        raise Refused("the sleep is in a function of its own")
    if args.get("last") and not _is_last(tree, statement, loop):
        raise Refused("more than the sleep stands at the end of the loop")
    start, end = tree.range(call.func)
    return [tree.edit(start, end, f"{event}.wait")]


def _tested(test: cst.BaseExpression) -> str:
    """``event`` of ``not event.is_set()``."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        inner = test.expression
        if isinstance(inner, cst.Call) and not inner.args:
            owner, _, method = names.code(inner.func).rpartition(".")
            return owner if method in ("is_set", "isSet") else ""
    return ""


def _between(tree: Tree, node: cst.CSTNode, top: cst.CSTNode) -> list[cst.CSTNode]:
    found = []
    for part in tree.ancestors(node):
        if part is top:
            break
        found.append(part)
    return found


def _is_last(tree: Tree, statement: cst.CSTNode, loop: cst.While) -> bool:
    """Whether nothing of the loop's body can run after the statement: it ends the body, or branches that end it."""
    inner: cst.CSTNode = statement
    for node in tree.ancestors(statement):
        if node is loop:
            return inner is loop.body
        if isinstance(node, (cst.IndentedBlock, cst.SimpleStatementLine, cst.SimpleStatementSuite)):
            if node.body[-1] is not inner:
                return False
        elif not isinstance(node, (cst.If, cst.Else)):
            return False
        inner = node
    return False
