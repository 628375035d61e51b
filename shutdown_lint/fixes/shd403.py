"""SHD403: the work between ``queue.get()`` and ``queue.task_done()`` goes into a ``try``, ``task_done()`` into its ``finally``.

The finding's span is the call of ``task_done``. Checked here: it is the only one of the function; it is a statement of
its own in the block in which ``get()`` is assigned, also as ``try: item = queue.get(…)`` whose clauses all leave; nothing
between them jumps away, but for a sentinel's test right behind the ``get()``, which stays in front of the ``try``.

=================================  ==================================
before                             after
=================================  ==================================
``item = queue.get()``             ``item = queue.get()``
``work(item)``                     ``try:``
``queue.task_done()``              ``    work(item)``
..                                 ``finally:``
..                                 ``    queue.task_done()``
=================================  ==================================
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.blocks import (
    call_at,
    function,
    indent,
    jumps,
    leaves,
    only,
    own_statement,
    parts,
    receiver,
    site,
    step,
    wrap,
)
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Wrap the work; move the report behind it."""
    call = call_at(tree, span, "task_done")
    queue, done = receiver(call), site(tree, own_statement(tree, call))
    if _count(tree, call) != 1:
        raise Refused("the function reports in several places")
    taken = next((n for n in range(done.number - 1, -1, -1) if _takes(done.block[n], queue)), None)
    if taken is None:
        raise Refused("`get()` is not assigned in the same block")
    work = list(done.block[taken + 1 : done.number])
    while work and _is_guard(tree, work[0]):
        del work[0]
    if not work:
        raise Refused("there is no work between `get()` and `task_done()`")
    if any(jumps(tree, statement) for statement in work):
        raise Refused("the work may leave without a report on purpose")
    if any(isinstance(node, cst.Yield) for statement in work for node in parts(statement)):
        raise Refused("the work is handed over by `yield`")
    return [_around(tree, work, done.node)]


def _count(tree: Tree, call: cst.Call) -> int:
    """How often the function calls ``task_done``, whatever the queue."""
    nodes = parts(function(tree, call))
    return sum(isinstance(node, cst.Call) and names.code(node.func).endswith(".task_done") for node in nodes)


def _takes(statement: cst.CSTNode, queue: str) -> bool:
    """``item = queue.get(…)``, or a ``try`` with nothing else in it whose clauses all leave."""
    if isinstance(statement, cst.Try):
        inner = statement.body.body
        is_bare = len(inner) == 1 and statement.orelse is None and statement.finalbody is None
        return is_bare and _takes(inner[0], queue) and all(leaves(clause.body) for clause in statement.handlers)
    assign = only(statement, cst.Assign)
    value = assign.value if assign is not None else None
    value = value.expression if isinstance(value, cst.Await) else value
    return isinstance(value, cst.Call) and names.code(value.func) in (f"{queue}.get", f"{queue}.get_nowait")


def _is_guard(tree: Tree, statement: cst.CSTNode) -> bool:
    """``if item is None: break``: a test without calls, and nothing but a jump."""
    if not isinstance(statement, cst.If) or statement.orelse is not None or len(statement.body.body) != 1:
        return False
    is_plain = not any(isinstance(node, (cst.Call, cst.Subscript, cst.Await)) for node in parts(statement))
    return is_plain and leaves(statement.body) and bool(jumps(tree, statement))


def _around(tree: Tree, work: list[cst.BaseStatement], done: cst.CSTNode) -> Edit:
    """The block; comments above the report move into the work, the one behind it stays with it."""
    newline, space = tree.newline(tree.range(done)[0]), indent(tree, done)
    last = tree.line_end(tree.range(done)[1])
    report = tree.text[tree.range(done)[0] : last]
    edit = wrap(tree, work[0], work[-1], "try:")
    end = tree.line_end(tree.range(work[-1])[1])
    between = tree.text[end : tree.line_start(tree.range(done)[0])]
    inner = step(tree, done)
    gap = "".join(f"{newline}{inner}{line}" for line in between.splitlines() if line.strip())
    tail = f"{newline}{space}finally:{newline}{space}{inner}{report}"
    return Edit(
        edit.span._replace(end_line=tree.span(last, last).line, end_col=tree.span(last, last).col),
        f"{edit.content}{gap}{tail}",
    )
