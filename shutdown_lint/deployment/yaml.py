"""YAML as plain nodes with places.

Built from PyYAML's events: an alias stays a reference to the node of its anchor, so that no bomb is ever unfolded, and
depth is counted before anything recurses. Merge keys (``<<``) are followed when a key is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from shutdown_lint.deployment.facts import BrokenError, Setting, Span

MAX_DEPTH = 100
_MAX_MERGES = 8  # merge keys within merge keys


class Node:
    """A scalar (``value``), a sequence (``items``) or a mapping (``pairs``), with its local ``tag`` (``!reset``), if any."""

    __slots__ = ("items", "kind", "pairs", "plain", "span", "tag", "value")

    def __init__(self, kind: str, span: Span, value: str = "", plain: bool = False, tag: str = "") -> None:
        self.kind, self.span, self.value, self.plain, self.tag = kind, span, value, plain, tag
        self.items: list[Node] = []
        self.pairs: list[tuple[Node, Node]] = []

    def get(self, key: str) -> Node | None:
        """The value of a mapping's key, its own before merged ones."""
        return self._get(key, 0)

    def _get(self, key: str, depth: int) -> Node | None:
        for name, value in self.pairs:
            if name.kind == "scalar" and name.value == key:
                return value
        if depth > _MAX_MERGES:
            return None
        for name, value in self.pairs:
            if name.value == "<<" and name.kind == "scalar":
                for merged in value.items[:_MAX_MERGES] if value.kind == "sequence" else (value,):
                    found = merged._get(key, depth + 1)
                    if found is not None:
                        return found
        return None

    def at(self, *keys: str) -> Node | None:
        """The value below several keys."""
        node: Node | None = self
        for key in keys:
            node = node.get(key) if node is not None else None
        return node

    def entries(self) -> Iterator[tuple[str, Node, Node]]:
        """The keys of a mapping as text, with key and value."""
        return ((name.value, name, value) for name, value in self.pairs if name.kind == "scalar")

    def setting(self, *keys: str) -> Setting | None:
        """The scalar below some keys; an empty one counts as none."""
        node = self.at(*keys)
        return Setting(node.value, node.span) if node is not None and node.kind == "scalar" and node.value else None

    def texts(self) -> tuple[str, ...]:
        """The scalars of a sequence."""
        return tuple(item.value for item in self.items if item.kind == "scalar")


def documents(text: str) -> list[Node]:
    """The roots of all documents. Raises ``BrokenError`` with line and column."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return list(_built(yaml.parse(text, Loader=loader)))
    except yaml.MarkedYAMLError as error:
        raise _broken(error, text) from error
    except (yaml.YAMLError, ValueError) as error:
        words = getattr(error, "reason", "") or str(error).partition("\n")[0]
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise BrokenError(f"cannot be read as YAML: {words}", line) from error


def _broken(error: Any, text: str) -> BrokenError:
    mark = error.problem_mark or error.context_mark
    message = " ".join(filter(None, (error.context, error.problem)))
    line, col = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.split("\n")
    if line <= len(lines) and re.match(r" *\t", lines[line - 1]):
        message = "a tab indents this line, and YAML takes only spaces"
    return BrokenError(f"cannot be read as YAML: {message}", line, col)


def _built(events: Any) -> Iterator[Node]:
    stack: list[Node] = []
    waiting: list[Node | None] = []  # the key that waits for its value, by mapping
    anchors: dict[str, Node] = {}
    for event in events:
        name = type(event).__name__
        if name == "DocumentStartEvent":
            anchors = {}
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            node = stack.pop()
            waiting.pop()
            if not stack:
                yield node
        elif name in ("ScalarEvent", "AliasEvent", "MappingStartEvent", "SequenceStartEvent"):
            node = _node(event, name, anchors)
            if stack:
                _put(stack[-1], waiting, node)
            elif name == "ScalarEvent":
                yield node
            if name.endswith("StartEvent"):
                stack.append(node)
                waiting.append(None)
                if len(stack) > MAX_DEPTH:
                    raise BrokenError("nested too deeply to be analysed", node.span.line, node.span.col, "SHD903")


def _node(event: Any, name: str, anchors: dict[str, Node]) -> Node:
    start, end = event.start_mark, event.end_mark
    span = Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)
    if name == "AliasEvent":
        known = anchors.get(event.anchor)
        if known is None:
            raise BrokenError(f"cannot be read as YAML: no anchor `{event.anchor[:60]}`", span.line, span.col)
        return known
    kind = {"ScalarEvent": "scalar", "MappingStartEvent": "mapping"}.get(name, "sequence")
    value = event.value if kind == "scalar" else ""
    node = Node(kind, span, value, kind == "scalar" and event.implicit[0], event.tag or "")
    if event.anchor:
        anchors[event.anchor] = node
    return node


def _put(parent: Node, waiting: list[Node | None], node: Node) -> None:
    if parent.kind == "sequence":
        parent.items.append(node)
    elif waiting[-1] is None:
        waiting[-1] = node
    else:
        parent.pairs.append((waiting[-1], node))
        waiting[-1] = None
