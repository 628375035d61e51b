"""LibCST's parser without the cost of LibCST's nodes.

``libcst.native`` parses in Rust and then builds its tree by calling the classes of the module ``libcst`` by name. The
real classes are frozen dataclasses that validate themselves: building them costs as much as the parse, and six nodes of
ten are whitespace, which lowering finds in the text itself; making these classes, which importing ``libcst`` does, takes
as long as parsing three thousand lines. So only the parser is imported, and while it runs, and only then, the name
``libcst`` stands for a module whose node classes are plain namespaces (the same names, the same fields) and whose
whitespace and punctuation are nothing at all. The real module is not touched: whoever imports it, as the fixes do, has
the real classes.

Where a release of LibCST builds its nodes otherwise, ``cst`` are the real classes; that is slower and else the same.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from threading import Lock
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import libcst

# Six of ten nodes. Each is found again in the text, or has no meaning.
_DROPPED = frozenset({
    "AssignEqual", "Colon", "Comma", "Comment", "Dot", "EmptyLine", "LeftCurlyBrace", "LeftSquareBracket", "Newline",
    "ParenthesizedWhitespace", "RightCurlyBrace", "RightParen", "RightSquareBracket", "Semicolon", "SimpleWhitespace",
    "TrailingWhitespace",
})  # fmt: skip
# What the parser does not name is not there.
_OPTIONAL = (
    "annotation", "asname", "asynchronous", "bound", "cause", "cls", "conversion", "default", "encoding", "equal", "exc",
    "finalbody", "format_spec", "guard", "indent", "inner_for_in", "item", "key", "keyword", "lbracket", "lower", "module",
    "msg", "name", "orelse", "pattern", "rbracket", "rest", "returns", "star", "star_arg", "star_kwarg", "step", "type",
    "type_parameters", "upper", "value",
)  # fmt: skip
# Called with keywords only, it ignores them and returns an empty string: the cheapest constructor that there is.
_NOTHING = "".format
_LOCK = Lock()


class _Node(SimpleNamespace):
    """A node: its fields, and the defaults of those that the parser leaves out."""

    lpar = ()


for _field in _OPTIONAL:
    setattr(_Node, _field, None)


class _ParserSyntaxError(Exception):
    """What the parser raises, by this name, with the same fields."""

    def __init__(self, message: str, *, raw_line: int, raw_column: int, **_: object) -> None:
        super().__init__(message)
        self.message, self.raw_line, self.raw_column = message, raw_line, raw_column


class _PlainNodes(ModuleType):
    """The stand-in: a node's class is made when it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = _NOTHING if name in _DROPPED else type(name, (_Node,), {})
        setattr(self, name, found)
        return found


def _plain_nodes() -> ModuleType:
    module = _PlainNodes("libcst")
    module.ParserSyntaxError = _ParserSyntaxError  # type: ignore[attr-defined]
    return module


def _unknown(name: str) -> type:
    """A class of a later release: no node is of it."""
    return type(name, (), {})


def _copy() -> ModuleType:
    """The real classes."""
    import libcst

    module = ModuleType("libcst")
    vars(module).update(vars(libcst), __getattr__=_unknown)
    return module


def _parser() -> Any:
    """The module ``libcst.native``, as ``import`` would find it, without the package around it."""
    name = "libcst.native"
    package = None if name in sys.modules or "libcst" in sys.modules else find_spec("libcst")
    spec = PathFinder.find_spec(name, package.submodule_search_locations) if package else None
    if spec is not None and spec.loader is not None:
        module = sys.modules[name] = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module
    from libcst import native  # type: ignore[attr-defined]  # an extension module without stubs

    return native


_native = _parser()


def _parsed(text: str, nodes: ModuleType) -> Any:
    with _LOCK:
        real = sys.modules.get("libcst")
        try:
            sys.modules["libcst"] = nodes
            return _native.parse_module(text)
        finally:
            if real is not None:
                sys.modules["libcst"] = real
            else:
                del sys.modules["libcst"]


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
