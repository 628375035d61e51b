"""A parsed Python file for the fixers: nodes with exact offsets, and their parents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import libcst as cst
from libcst._nodes.internal import CodegenState

from shutdown_lint import bounds
from shutdown_lint.facts import Span
from shutdown_lint.fixes.refusal import Refused, refuse_if
from shutdown_lint.fixes.text import Text

Node = TypeVar("Node", bound=cst.CSTNode)
Answer = TypeVar("Answer")


class _Range:
    """Remembers where a node begins and ends, without the whitespace that it owns."""

    __slots__ = ("first", "last", "node", "start", "state")

    def __init__(
        self, state: _OffsetState, node: cst.CSTNode, first: cst.CSTNode | None, last: cst.CSTNode | None
    ) -> None:
        self.state, self.node, self.first, self.last = state, node, first, last

    def __enter__(self) -> None:
        self.start = self.state.offset

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ranges = self.state.ranges
        start = ranges[id(self.first)][0] if self.first else self.start
        ranges[id(self.node)] = (start, ranges[id(self.last)][1] if self.last else self.state.offset)


class _OffsetState(CodegenState):
    """Code generation that keeps the range of every node, at half the cost of LibCST's own provider."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.offset = 0
        self.ranges: dict[int, tuple[int, int]] = {}
        self.starts: list[int] = []

    def add_token(self, value: str) -> None:
        self.tokens.append(value)
        self.offset += len(value)

    def add_indent_tokens(self) -> None:
        self.tokens.extend(self.indent_tokens)
        self.offset += sum(map(len, self.indent_tokens))

    def before_codegen(self, node: cst.CSTNode) -> None:
        self.starts.append(self.offset)

    def after_codegen(self, node: cst.CSTNode) -> None:
        self.ranges.setdefault(id(node), (self.starts.pop(), self.offset))

    def record_syntactic_position(  # type: ignore[override]  # a cheaper context manager than contextlib's
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _Range:
        return _Range(self, node, start_node, end_node)


class Tree(Text):
    """A Python file's text and its nodes; ``ranges`` and ``parents`` are by ``id`` of the node, ``nodes`` by range.

    ``memo`` keeps answers about the tree that every finding of a file asks for.
    """

    __slots__ = ("memo", "module", "nodes", "parents", "ranges")

    def __init__(
        self,
        text: str,
        module: cst.Module,
        ranges: dict[int, tuple[int, int]],
        parents: dict[int, cst.CSTNode],
        nodes: dict[tuple[int, int], list[cst.CSTNode]],
    ) -> None:
        super().__init__(text)
        self.module, self.ranges, self.parents, self.nodes = module, ranges, parents, nodes
        self.memo: dict[tuple[object, ...], Any] = {}

    def remember(self, answer: Callable[..., Answer], *questions: object) -> Answer:
        """``answer(*questions)``, computed once; nodes among the questions are told apart by identity."""
        key = (answer, *(id(part) if isinstance(part, cst.CSTNode) else part for part in questions))
        if key not in self.memo:
            self.memo[key] = answer(*questions)
        found: Answer = self.memo[key]
        return found

    def range(self, node: cst.CSTNode) -> tuple[int, int]:
        """Where the node begins and ends, without whitespace and parentheses around it."""
        return self.ranges[id(node)]

    def code(self, node: cst.CSTNode) -> str:
        """The node as it is written."""
        start, end = self.range(node)
        return self.text[start:end]

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around the node, innermost first; the module is the last."""
        parent = self.parents.get(id(node))
        while parent is not None:
            yield parent
            parent = self.parents.get(id(parent))

    def at(self, span: Span, *kinds: type[Node]) -> Node | None:
        """The outermost node of one of the types that covers exactly this span."""
        wanted = (self.offset(span.line, span.col), self.offset(span.end_line, span.end_col))
        return next((node for node in self.nodes.get(wanted, ()) if isinstance(node, kinds)), None)


def parse(text: str) -> Tree:
    """Parse a file's text (without byte order mark). Raises ``Refused`` where that cannot be done exactly."""
    trouble = bounds.check(text)
    refuse_if(trouble.message if trouble else "")  # its parser must not see every text that Python's reads
    try:
        module = cst.parse_module(text)
        state = _OffsetState(module)
        module._codegen(state)
    except cst.ParserSyntaxError as error:
        raise Refused(f"syntax error in line {error.raw_line}") from error
    except cst.CSTValidationError as error:  # what only Python's compiler refuses, its parser does not
        raise Refused(f"cannot be changed: {str(error)[:1].lower()}{str(error)[1:]}") from error
    except RecursionError as error:
        raise Refused("nested too deeply to be changed") from error
    code = "".join(state.tokens)
    # LibCST drops the last line end of a file whose lines end with \r
    if text not in (code, f"{code}\r"):
        raise Refused("the file cannot be written back unchanged")
    return Tree(text, module, state.ranges, *_family(module, state.ranges))


_LEAVES = frozenset({cst.SimpleWhitespace, cst.Newline, cst.Comment})  # every second node, and none holds another


def _family(
    module: cst.Module, ranges: dict[int, tuple[int, int]]
) -> tuple[dict[int, cst.CSTNode], dict[tuple[int, int], list[cst.CSTNode]]]:
    """The parents of all nodes, and the nodes by range, in one walk."""
    parents: dict[int, cst.CSTNode] = {}
    nodes: dict[tuple[int, int], list[cst.CSTNode]] = {}
    stack: list[cst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        nodes.setdefault(ranges.get(id(node), (-1, -1)), []).append(node)
        if type(node) in _LEAVES:
            continue
        found = children(node)
        for child in found:
            parents[id(child)] = node
        found.reverse()
        stack += found
    return parents, nodes


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The direct child nodes, in the order of the fields."""
    found: list[cst.CSTNode] = []
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        kind = type(value)
        if _is_node(kind):
            found.append(value)
        elif kind is tuple or kind is list:
            found += [item for item in value if _is_node(type(item))]
    return found


def _is_node(kind: type) -> bool:
    """Whether objects of the type are nodes. Their base is an abstract class, which is slow to ask."""
    known = _NODES.get(kind)
    if known is None:
        known = _NODES[kind] = issubclass(kind, cst.CSTNode)
    return known


_NODES: dict[type, bool] = {}


def walk(top: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node and all below it, each before its children; without recursion."""
    stack = [top]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(children(node))


def code_of(node: cst.CSTNode) -> str:
    """Source text of a new node."""
    return cst.Module(body=[]).code_for_node(node)


def comments(node: cst.CSTNode) -> list[str]:
    """The comments in the node, in order of the walk."""
    return [item.value for item in walk(node) if isinstance(item, cst.Comment)]


def without_comma(arguments: Sequence[cst.Arg]) -> list[cst.Arg]:
    """The arguments, to be separated anew."""
    return [argument.with_changes(comma=cst.MaybeSentinel.DEFAULT) for argument in arguments]
