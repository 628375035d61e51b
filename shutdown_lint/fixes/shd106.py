"""SHD106: a forked child ends by ``os._exit``, whatever becomes of its work.

The finding's span is the last statement of the child's branch: ``sys.exit(n)``, ``os._exit(n)`` behind work that may
raise, or any other (``args["kind"]``: ``exit``, ``risk``, ``next``). Unsafe: what the child has printed and not flushed is
lost, where today it is written together with what the parent had not flushed. Checked here: the branch is that of an
``if`` or ``else``, and nothing in it jumps away.

==========================  =============================================
before                      after
==========================  =============================================
``if os.fork() == 0:``      ``if os.fork() == 0:``
``    work()``              ``    try:``
``    sys.exit(2)``         ``        work()``
..                          ``    except BaseException:``
..                          ``        sys.excepthook(*sys.exc_info())``
..                          ``        os._exit(1)``
..                          ``    os._exit(2)``
==========================  =============================================
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.blocks import Site, jumps, only, parts, site, step, wrap
from shutdown_lint.fixes.imports import access, together
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Put the child's work into a ``try``, with an end for both outcomes."""
    last = _last(tree, span)
    kind = args.get("kind", "")
    work = last.before if kind in ("exit", "risk") else [*last.before, last.node]
    if any(jumps(tree, statement) for statement in work) or _yields(work):
        raise Refused("the child's work jumps away")
    system, outer = access(tree, "sys", last.node), access(tree, "os", last.node)
    found = together([*system.edits, *outer.edits])
    if kind == "exit":
        code = _code(last.node)
        found.append(tree.edit(*tree.range(last.node), f"{outer.name}._exit({code})"))
    inner = step(tree, last.node)
    tail = (
        "except BaseException:",
        f"{inner}{system.name}.excepthook(*{system.name}.exc_info())",
        f"{inner}{outer.name}._exit(1)",
        *((f"{outer.name}._exit(0)",) if kind == "next" else ()),
    )
    return [*found, *([wrap(tree, work[0], work[-1], "try:", tail)] if work else [])]


def _last(tree: Tree, span: Span) -> Site:
    """The statement of the finding, last in the branch of an ``if``."""
    wanted = (tree.offset(span.line, span.col), tree.offset(span.end_line, span.end_col))
    nodes = tree.nodes.get(wanted, ())
    node = next((node for node in nodes if isinstance(node, (cst.BaseStatement, cst.BaseSmallStatement))), None)
    if node is None:
        raise Refused("no statement stands here")
    found = site(tree, node)
    branch = tree.parents.get(id(tree.parents[id(found.node)]))
    if found.after or not isinstance(branch, (cst.If, cst.Else)):
        raise Refused("it is not the last statement in the branch of an `if`")
    return found


def _yields(work: list[cst.BaseStatement]) -> bool:
    return any(isinstance(node, (cst.Yield, cst.Await)) for statement in work for node in parts(statement))


def _code(statement: cst.CSTNode) -> str:
    """The exit code of ``sys.exit(n)``."""
    expression = only(statement, cst.Expr)
    call = expression.value if expression is not None else None
    if not isinstance(call, cst.Call) or names.code(call.func).rpartition(".")[2] != "exit" or len(call.args) > 1:
        raise Refused("the child does not leave by `sys.exit` itself")
    given = call.args[0].value if call.args else None
    if given is None or names.code(given) == "None":
        return "0"
    if not isinstance(given, cst.Integer):
        raise Refused("the exit code is not a number")
    return given.value
