"""Statements and their blocks: where one stands, what stands beside it, new lines behind it, a block around it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias, Union

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Node, Tree, walk

Statement: TypeAlias = Union[cst.SimpleStatementLine, cst.BaseCompoundStatement]
_STRINGS = (cst.SimpleString, cst.FormattedString)


class Site(NamedTuple):
    """A statement on lines of its own, the block around it, and its place in the block."""

    node: Statement
    block: Sequence[cst.BaseStatement]
    number: int

    @property
    def after(self) -> list[cst.BaseStatement]:
        """The statements behind it in the block."""
        return list(self.block[self.number + 1 :])

    @property
    def before(self) -> list[cst.BaseStatement]:
        """The statements before it in the block."""
        return list(self.block[: self.number])


def call_at(tree: Tree, span: Span, *methods: str) -> cst.Call:
    """The call of the finding: of a method with one of the names. Raises ``Refused``."""
    call = tree.at(span, cst.Call)
    if call is None or not isinstance(call.func, cst.Attribute) or call.func.attr.value not in methods:
        raise Refused(f"no call of `{'`, `'.join(methods)}` stands here")
    return call


def receiver(call: cst.Call) -> str:
    """``a.b`` of ``a.b.method()``. Raises ``Refused`` for what is no plain name: it would be evaluated twice."""
    name = names.code(call.func.value) if isinstance(call.func, cst.Attribute) else ""
    if not name:
        raise Refused("the receiver is no plain name")
    return name


def own_statement(tree: Tree, expression: cst.CSTNode) -> cst.Expr:
    """The statement that is nothing but the expression, an ``await`` around it included. Raises ``Refused``."""
    parent = tree.parents[id(expression)]
    if isinstance(parent, cst.Await):
        parent = tree.parents[id(parent)]
    if not isinstance(parent, cst.Expr):
        raise Refused("the call is not a statement of its own")
    return parent


def site(tree: Tree, node: cst.CSTNode) -> Site:
    """The statement around the node that has its lines for itself. Raises ``Refused`` where several share a line."""
    for part in (node, *tree.ancestors(node)):
        if isinstance(part, cst.SimpleStatementSuite):
            break
        if isinstance(part, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            parent = tree.parents[id(part)]
            block = parent.body if isinstance(parent, (cst.IndentedBlock, cst.Module)) else ()
            number = next((n for n, other in enumerate(block) if other is part), None)
            if number is None or (isinstance(part, cst.SimpleStatementLine) and len(part.body) > 1):
                break
            return Site(part, block, number)
    raise Refused("several statements share the line")


def only(statement: cst.CSTNode, kind: type[Node]) -> Node | None:
    """The small statement of the type, if that is all that the line holds."""
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        part = statement.body[0]
        return part if isinstance(part, kind) else None
    return None


def function(tree: Tree, node: cst.CSTNode) -> cst.FunctionDef | cst.Module:
    """The function around the node, or the module. A lambda or class body in between does not matter."""
    return next(part for part in tree.ancestors(node) if isinstance(part, (cst.FunctionDef, cst.Module)))


def indent(tree: Tree, statement: cst.CSTNode) -> str:
    """The whitespace before the statement."""
    start = tree.range(statement)[0]
    return tree.text[tree.line_start(start) : start]


def step(tree: Tree, statement: cst.CSTNode) -> str:
    """One more level of indentation, as the block of the statement has it, else the file."""
    block = tree.parents.get(id(statement))
    own = block.indent if isinstance(block, cst.IndentedBlock) else None
    return own if own is not None else tree.module.default_indent


# --- changes ---------------------------------------------------------------------------------------------------------


def append(tree: Tree, statement: cst.CSTNode, steps: Iterable[str]) -> Edit:
    """Statements after a small statement: on lines of their own, or on its line where it shares that with others."""
    line = tree.parents[id(statement)]
    start, end = tree.range(statement)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) > 1:
        return tree.edit(end, end, "".join(f"; {step}" for step in steps))
    before = tree.text[tree.line_start(start) : start]
    end = tree.line_end(end)
    return tree.edit(end, end, "".join(f"\n{before}{step}" for step in steps))


def insert(tree: Tree, statement: cst.CSTNode, lines: Iterable[str], *, before: bool = False) -> Edit:
    """Lines behind (or before) a statement that has its lines for itself; they are indented like it."""
    space = indent(tree, statement)
    if before:
        start = tree.line_start(first_offset(tree, statement))
        return tree.edit(start, start, "".join(f"{space}{line}\n" for line in lines))
    end = tree.line_end(tree.range(statement)[1])
    return tree.edit(end, end, "".join(f"\n{space}{line}" for line in lines))


def remove(tree: Tree, statement: cst.CSTNode) -> Edit:
    """The lines of a small statement go, a comment behind it apart. Raises ``Refused`` where there is one."""
    start, end = tree.range(statement)
    if tree.text[end : tree.line_end(end)].strip():
        raise Refused("a comment belongs to the line")
    following = next((first for first in tree.lines if first > end), len(tree.text))
    return Edit(tree.span(tree.line_start(start), following), "")


def first_offset(tree: Tree, statement: cst.CSTNode) -> int:
    """Where the statement begins, its decorators included."""
    decorators = statement.decorators if isinstance(statement, (cst.FunctionDef, cst.ClassDef)) else ()
    return tree.range(decorators[0] if decorators else statement)[0]


def wrap(tree: Tree, first: cst.CSTNode, last: cst.CSTNode, head: str, tail: Sequence[str] = ()) -> Edit:
    """A compound statement around the statements from the first to the last, which move one level in.

    ``head`` is its first line (``try:``), ``tail`` the lines behind the block, indented like the head. Lines of strings
    stay as they are.
    """
    start = tree.line_start(first_offset(tree, first))
    end = tree.line_end(tree.range(last)[1])
    newline, space = tree.newline(start), indent(tree, first)
    lines = [f"{space}{head}{newline}", indented(tree, start, end, step(tree, first))]
    return Edit(tree.span(start, end), "".join((*lines, *(f"{newline}{space}{line}" for line in tail))))


def indented(tree: Tree, start: int, end: int, more: str) -> str:
    """The text of whole lines with more indentation."""
    inside = _string_lines(tree)
    starts = [offset for offset in tree.lines if start <= offset < end]
    parts = []
    for number, offset in enumerate(starts):
        line = tree.text[offset : starts[number + 1] if number + 1 < len(starts) else end]
        parts.append(line if offset in inside or not line.strip() else f"{more}{line}")
    return "".join(parts)


def _string_lines(tree: Tree) -> frozenset[int]:
    """The lines that begin inside of a string."""
    key = ("lines that begin inside of a string",)
    if key not in tree.memo:
        ranges = (tree.range(node) for node in walk(tree.module) if isinstance(node, _STRINGS))
        parts = (tree.lines[bisect_right(tree.lines, start) : bisect_left(tree.lines, end)] for start, end in ranges)
        tree.memo[key] = frozenset(line for part in parts for line in part)
    found: frozenset[int] = tree.memo[key]
    return found


# --- what may happen in a block --------------------------------------------------------------------------------------


def parts(top: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes of a statement, functions and classes defined in it apart."""
    stack = [top]
    while stack:
        node = stack.pop()
        yield node
        if node is top or not isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
            stack.extend(reversed(node.children))


def jumps(tree: Tree, statement: cst.CSTNode) -> list[cst.CSTNode]:
    """The ``return``, ``break`` and ``continue`` statements by which control leaves the statement."""
    found: list[cst.CSTNode] = []
    for node in parts(statement):
        if isinstance(node, cst.Return) or (
            isinstance(node, (cst.Break, cst.Continue)) and not _has_own_loop(tree, node, statement)
        ):
            found.append(node)
    return found


def _has_own_loop(tree: Tree, jump: cst.CSTNode, top: cst.CSTNode) -> bool:
    inner = jump
    for node in tree.ancestors(jump):
        if isinstance(node, (cst.While, cst.For)) and inner is node.body:
            return True
        if node is top:
            return False
        inner = node
    return False


def leaves(block: cst.BaseSuite) -> bool:
    """Whether the last statement of the block jumps or raises."""
    last = block.body[-1] if block.body else None
    last = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return isinstance(last, (cst.Return, cst.Raise, cst.Break, cst.Continue))
