"""LibCST's parser without the cost of LibCST's nodes.

``libcst.native`` parses in Rust and then builds its tree by calling the classes of the module ``libcst`` by name. The
real classes are frozen dataclasses that validate themselves: building them costs as much as the parse, and six nodes of
ten are whitespace, which lowering finds in the text itself. So while our parser runs, and only then, the name
``libcst`` stands for a module whose node classes are plain namespaces (the same names, the same fields) and whose
whitespace and punctuation are nothing at all. The real module is not touched: whoever has imported it before, as the
fixes have, goes on with the real classes.

Where a release of LibCST builds its nodes otherwise, ``cst`` are the real classes; that is slower and else the same.
"""

from __future__ import annotations

import dataclasses
import sys
from threading import Lock
from types import ModuleType, SimpleNamespace
from typing import Any

import libcst
from libcst import native  # type: ignore[attr-defined]  # an extension module without stubs

# Six of ten nodes. Each is found again in the text, or has no meaning.
_DROPPED = (
    "AssignEqual", "Colon", "Comma", "Comment", "Dot", "EmptyLine", "LeftCurlyBrace", "LeftSquareBracket", "Newline",
    "ParenthesizedWhitespace", "RightCurlyBrace", "RightParen", "RightSquareBracket", "Semicolon", "SimpleWhitespace",
    "TrailingWhitespace",
)  # fmt: skip
# Called with keywords only, it ignores them and returns an empty string: the cheapest constructor that there is.
_NOTHING = "".format
_LOCK = Lock()


class _Node(SimpleNamespace):
    """A node: its fields, and the defaults of those that the parser leaves out."""

    lpar = ()


def _plain(cls: type) -> type:
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    defaults = {f.name: f.default for f in fields if f.default is not dataclasses.MISSING}
    return type(cls.__name__, (_Node,), defaults)


def _unknown(name: str) -> type:
    """A class of a later release: no node is of it."""
    return type(name, (), {})


def _copy() -> ModuleType:
    module = ModuleType("libcst")
    vars(module).update(vars(libcst), __getattr__=_unknown)
    return module


def _plain_nodes() -> ModuleType:
    module = _copy()
    found = vars(module)
    for name, value in vars(libcst).items():
        if isinstance(value, type) and issubclass(value, libcst.CSTNode):
            found[name] = _NOTHING if name in _DROPPED else _plain(value)
    return module


def _parsed(text: str, nodes: ModuleType) -> Any:
    with _LOCK:
        real = sys.modules["libcst"]
        try:
            sys.modules["libcst"] = nodes
            return native.parse_module(text)
        finally:
            sys.modules["libcst"] = real


def _usable(nodes: ModuleType) -> ModuleType:
    """The plain nodes, if the parser does use them."""
    try:
        tree = _parsed("f(x)\n", nodes)
        return nodes if type(tree.body[0].body[0].value) is nodes.Call else _copy()
    except Exception:  # noqa: BLE001  # whatever is different there: the real classes always work
        return _copy()


cst = _usable(_plain_nodes())


def parse(text: str) -> libcst.Module:
    """The tree of a module, of the classes in ``cst``. Raises ``libcst.ParserSyntaxError``."""
    tree: libcst.Module = _parsed(text, cst)
    return tree
