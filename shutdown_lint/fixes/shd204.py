"""SHD204: an executor is shut down by its owner's stop method, or left by ``with``.

With ``args["executor"]``, the attribute that keeps it, ``self.<executor>.shutdown(cancel_futures=True)`` goes into the
method at ``args["line"]`` and ``args["column"]``; ``args["guard"]`` is ``none`` where the attribute may be None. Without,
the finding's span is the call in ``pool = ThreadPoolExecutor(…)``: the rest of the block goes under ``with … as pool:``.
The rule has shown that the executor does not leave its function. Unsafe: the stop, or the block, waits for running jobs,
and the first form drops those that have not begun. Checked here: no name of the executor lives on behind the block.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.blocks import Site, function, indented, only, parts, site, step
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.stopping import add, guarded, method
from shutdown_lint.fixes.tree import Tree, walk


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Shut it down where its owner ends, or put what uses it into a ``with``."""
    if args.get("executor"):
        name = f"self.{args['executor']}"
        test = f"{name} is not None" if args.get("guard") == "none" else ""
        stop = method(tree, args)
        return [add(tree, stop, guarded(tree, stop, test, [f"{name}.shutdown(cancel_futures=True)"]), "")]
    call = tree.at(span, cst.Call)
    if call is None:
        raise Refused("no call stands here")
    line = site(tree, call)
    assign = only(line.node, cst.Assign)
    if assign is None or assign.value is not call or len(assign.targets) != 1:
        raise Refused("the executor is not put into a name")
    target = assign.targets[0].target
    if not isinstance(target, cst.Name):
        raise Refused("the executor is not put into a local name")
    _require_local(tree, line, target)
    return [_with(tree, line, target.value, call)]


def _require_local(tree: Tree, line: Site, target: cst.Name) -> None:
    around = function(tree, line.node)
    if isinstance(around, cst.Module) or not line.after:
        raise Refused("it is made at the top of the file, or nothing follows in the block")
    everywhere = [node for node in walk(around) if isinstance(node, cst.Name) and node.value == target.value]
    inside = {id(node) for rest in line.after for node in walk(rest)}
    others = [node for node in everywhere if node is not target]
    if any(id(node) not in inside or function(tree, node) is not around or _is_deferred(tree, node) for node in others):
        raise Refused("the executor is used outside of the block, or in a function of its own")
    if any(isinstance(node, cst.Yield) for rest in line.after for node in parts(rest)):
        raise Refused("the block is left by `yield`")


def _is_deferred(tree: Tree, node: cst.CSTNode) -> bool:
    return any(isinstance(outer, cst.Lambda) for outer in tree.ancestors(node))


def _with(tree: Tree, line: Site, name: str, call: cst.Call) -> Edit:
    """``with call as name:`` in the place of the assignment; the rest of the block moves one level in."""
    start, first_end = tree.range(line.node)[0], tree.line_end(tree.range(line.node)[1])
    comment = tree.text[tree.range(line.node)[1] : first_end]
    following = next(offset for offset in tree.lines if offset > first_end)
    end = tree.line_end(tree.range(line.after[-1])[1])
    head = f"with {tree.code(call)} as {name}:{comment}"
    newline = tree.text[first_end:following]
    body = indented(tree, following, end, step(tree, line.node))
    return Edit(tree.span(start, end), f"{head}{newline}{body}")
