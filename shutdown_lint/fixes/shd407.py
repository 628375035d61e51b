"""SHD407: ``child.wait()`` before ``out = child.stdout.read()`` becomes ``out = child.communicate()[0]``.

The finding's span is the call of ``wait``. Checked here: it is a statement of its own, or gives a name the exit code, and the pipes are read whole right
behind it; the child is a local name that ``Popen`` gave, with no pipe to its stdin; nothing else touches the pipes, and the
child is not handed to other code.

=====================================================  =====================================================
before                                                 after
=====================================================  =====================================================
``child.wait()``                                       ``out = child.communicate()[0]``
``out = child.stdout.read()``                          ..
``child.wait()``                                       ``out, err = child.communicate()``
``out = child.stdout.read()``                          ..
``err = child.stderr.read()``                          ..
``child.wait()``                                       ``return child.communicate()[0]``
``return child.stdout.read()``                         ..
``code = child.wait()``                                ``out = child.communicate()[0]``
``out = child.stdout.read()``                          ``code = child.returncode``
=====================================================  =====================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.blocks import Site, call_at, function, only, own_statement, receiver, remove, site
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, walk

_STREAMS = ("stdout", "stderr")


class _Read(NamedTuple):
    """A line that reads a whole pipe: the line, the stream, the call, the target as written (empty: returned)."""

    line: cst.SimpleStatementLine
    stream: str
    call: cst.Call
    target: str


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Read while waiting: the wait goes, the reads become one ``communicate()``."""
    call = call_at(tree, span, "wait")
    child, wait = receiver(call), site(tree, call)
    code = _code(tree, wait, call)
    if call.args or "." in child:
        raise Refused("the child is not a local name, or the wait has a limit")
    reads = [read for read in (_read(tree, line, child) for line in wait.after[:2]) if read is not None]
    if not reads or _read(tree, wait.after[0], child) is None:
        raise Refused("the pipe is not read whole right behind the wait")
    _require_alone(tree, call, child, reads)
    if code:
        return _exchange(tree, wait, reads, child, code)
    return [remove(tree, wait.node), *_communicate(tree, child, reads)]


def _code(tree: Tree, wait: Site, call: cst.Call) -> str:
    """The name that gets the exit code; empty where the wait is a statement of its own."""
    assign = only(wait.node, cst.Assign)
    if assign is None:
        own_statement(tree, call)
        return ""
    target = assign.targets[0].target
    if assign.value is not call or len(assign.targets) > 1 or not names.code(target):
        raise Refused("the exit code is not put into a plain name")
    return names.code(target)


def _exchange(tree: Tree, wait: Site, reads: list[_Read], child: str, code: str) -> list[Edit]:
    """``communicate()`` in the place of the wait, the exit code in that of the last read."""
    if not all(read.target and code not in read.target for read in reads):
        raise Refused("the exit code is needed before the pipe is read")
    last = reads[-1].line
    text = _assignment(child, reads)
    return [
        tree.edit(*tree.range(wait.node), text),
        *(remove(tree, read.line) for read in reads[:-1]),
        tree.edit(*tree.range(last), f"{code} = {child}.returncode"),
    ]


def _assignment(child: str, reads: list[_Read]) -> str:
    """What reads all of the pipes and puts it where the reads did."""
    if len(reads) == 1:
        return f"{reads[0].target} = {child}.communicate()[{_STREAMS.index(reads[0].stream)}]"
    if reads[0].stream == reads[1].stream:
        raise Refused("a pipe is read twice")
    targets = ", ".join(read.target for read in sorted(reads, key=lambda read: _STREAMS.index(read.stream)))
    return f"{targets} = {child}.communicate()"


def _read(tree: Tree, line: cst.CSTNode, child: str) -> _Read | None:
    assign, returned = only(line, cst.Assign), only(line, cst.Return)
    value = assign.value if assign is not None else returned.value if returned is not None else None
    if not isinstance(value, cst.Call) or value.args or not isinstance(line, cst.SimpleStatementLine):
        return None
    stream = next((name for name in _STREAMS if names.code(value.func) == f"{child}.{name}.read"), "")
    if not stream or (assign is not None and len(assign.targets) > 1):
        return None
    return _Read(line, stream, value, tree.code(assign.targets[0].target) if assign is not None else "")


def _require_alone(tree: Tree, call: cst.Call, child: str, reads: list[_Read]) -> None:
    """Nothing but these lines may read the pipes, now or later."""
    around = function(tree, call)
    mentioned = [node for node in walk(around) if isinstance(node, cst.Name) and node.value == child]
    attributes = [tree.parents[id(node)] for node in mentioned]
    made = [node for node, parent in zip(mentioned, attributes) if _is_made(tree, node, parent)]
    used = [parent.attr.value for parent in attributes if isinstance(parent, cst.Attribute)]
    if len(made) != 1 or len(made) + len(used) != len(mentioned):
        raise Refused("the child is handed to other code, or made elsewhere")
    if "stdin" in used or any(used.count(stream) > sum(read.stream == stream for read in reads) for stream in _STREAMS):
        raise Refused("other code uses the pipes")
    if isinstance(around, cst.Module) or names.declares_global(tree, child):
        raise Refused("the child is a global name")


def _is_made(tree: Tree, node: cst.Name, parent: cst.CSTNode) -> bool:
    """``child = Popen(…)`` or ``with Popen(…) as child``, without a pipe to its stdin."""
    statement = tree.parents[id(parent)]
    value: object = None
    if isinstance(parent, cst.AssignTarget) and isinstance(statement, cst.Assign) and len(statement.targets) == 1:
        value = statement.value
    elif isinstance(parent, cst.AsName) and isinstance(statement, cst.WithItem):
        value = statement.item
    if not isinstance(value, cst.Call) or names.code(value.func).rpartition(".")[2] != "Popen":
        return False
    given = {arg.keyword.value for arg in value.args if arg.keyword}
    return not given & {"stdin"} and not any(arg.star for arg in value.args)


def _communicate(tree: Tree, child: str, reads: list[_Read]) -> list[Edit]:
    """``communicate()`` in the place of the reads."""
    if len(reads) == 1:
        stream = _STREAMS.index(reads[0].stream)
        return [tree.edit(*tree.range(reads[0].call), f"{child}.communicate()[{stream}]")]
    if not all(read.target for read in reads):
        raise Refused("a pipe is read behind the end")
    return [tree.edit(*tree.range(reads[0].line), _assignment(child, reads)), remove(tree, reads[1].line)]
