"""Exact positions of the node types that facts keep, at a fifth of the cost of a parse.

LibCST's ``PositionProvider`` computes line and column for every node while it generates code. Here the same code
generation only appends tokens to a list, and for the kept nodes the number of tokens so far is remembered. Afterwards
one running sum of token lengths and a bisection over the line starts turn a token number into line and column.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from types import TracebackType

import libcst as cst
from libcst._nodes.internal import CodegenState

from shutdown_lint.facts import NO_SPAN, Span

# CPython ends a line at \n, \r\n and \r only (Language Reference 2.1.2); str.splitlines() knows more.
_LINE_END = re.compile(r"\r\n|\n|\r")

_KEPT: frozenset[type] = frozenset(
    {
        cst.Call,
        cst.Await,
        cst.Lambda,
        cst.IndentedBlock,
        cst.SimpleStatementLine,
        cst.SimpleStatementSuite,
        cst.Else,
        cst.Finally,
        cst.ExceptHandler,
        cst.ExceptStarHandler,
        cst.MatchCase,
    }
    | {
        node
        for node in vars(cst).values()
        if isinstance(node, type) and issubclass(node, (cst.BaseCompoundStatement, cst.BaseSmallStatement))
    }
)


class _NoRecord:
    """A context manager that does nothing, shared by all nodes that are not kept."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


_NO_RECORD = _NoRecord()


class _Record:
    """Remembers the token numbers at which a node begins and ends."""

    __slots__ = ("end_node", "node", "start", "state")

    def __init__(self, state: _SparseState, node: cst.CSTNode, end_node: cst.CSTNode | None) -> None:
        self.state, self.node, self.end_node = state, node, end_node

    def __enter__(self) -> None:
        self.start = len(self.state.tokens)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ranges = self.state.ranges
        inner = ranges.get(id(self.end_node))
        ranges[id(self.node)] = (self.start, inner[1] if inner else len(self.state.tokens))


class _SparseState(CodegenState):
    """The code generation state that counts tokens."""

    def __init__(self, module: cst.Module) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.add_token = self.tokens.append  # type: ignore[method-assign,assignment]  # a bound list method: no Python frame
        self.ranges: dict[int, tuple[int, int]] = {}
        self.names: set[int] = set()
        self.starts: list[int] = []

    def before_codegen(self, node: cst.CSTNode) -> None:
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            self.names.add(id(node.name))

    def record_syntactic_position(  # type: ignore[override]  # a cheaper context manager than contextlib's
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> _NoRecord | _Record:
        if type(node) in _KEPT or id(node) in self.names:
            return _Record(self, node, end_node)
        return _NO_RECORD


class Positions:
    """Looks up the span of a kept node of one module."""

    def __init__(self, module: cst.Module) -> None:
        state = _SparseState(module)
        module._codegen(state)
        self._ranges = state.ranges
        self._offsets = [0, *accumulate(map(len, state.tokens))]
        text = "".join(state.tokens)
        self._lines = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def _locate(self, token: int) -> tuple[int, int]:
        offset = self._offsets[token]
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def span(self, node: cst.CSTNode) -> Span:
        """The span of ``node``, without surrounding parentheses and whitespace."""
        found = self._ranges.get(id(node))
        if found is None:
            return NO_SPAN
        return Span(*self._locate(found[0]), *self._locate(found[1]))
