"""SHD309: a callback that is called on the spot is passed instead, its arguments with it.

The finding's span is the call ``f(…)``, and ``args["registrar"]`` the canonical dotted name of what it is handed to
(only its last part is used). Without it the name as written counts, and the span may be the registering call's.

============================  =============================  =====================================
registrar                     before                         after
============================  =============================  =====================================
``atexit.register``           ``register(f(a, k=1))``        ``register(f, a, k=1)``
``submit`` of an executor     ``submit(f(a, k=1))``          ``submit(f, a, k=1)``
``signal.signal``             ``signal(S, f())``             ``signal(S, f)``
``add_signal_handler``        ``add_signal_handler(S, f(a))``  ``add_signal_handler(S, f, a)``
``Thread``, ``Process``       ``Thread(target=f(a, k=1))``   ``Thread(target=f, args=(a,), kwargs={"k": 1})``
``Timer``                     ``Timer(n, f(a))``             ``Timer(n, f, args=(a,))``
============================  =============================  =====================================

The rule has shown that ``f`` returns None, and that it does nothing but what it was meant to do later. Checked here:
what is called is a name or an attribute; the arguments are names, attributes and constants, evaluated at the same moment
as before; the registrar can pass them on; no comment is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, code_of, comments, without_comma


class _Registrar(NamedTuple):
    """Where a registrar takes the callback (0-based position, or keyword), and how it takes the callback's arguments.

    ``passes``: ``all`` (after the callback), ``positional`` (the same, but no keywords), ``none``, or ``fields`` (as
    ``args=`` and ``kwargs=``).
    """

    position: int
    keyword: str
    passes: str


_REGISTRARS = {
    "register": _Registrar(0, "func", "all"),
    "submit": _Registrar(0, "fn", "all"),
    "finalize": _Registrar(1, "func", "all"),
    "signal": _Registrar(1, "handler", "none"),
    "add_signal_handler": _Registrar(1, "callback", "positional"),
    "Thread": _Registrar(1, "target", "fields"),
    "Process": _Registrar(1, "target", "fields"),
    "Timer": _Registrar(1, "function", "fields"),
}


class _Site(NamedTuple):
    """The call that should be a callback, the argument that it is, and the arguments that follow it."""

    inner: cst.Call
    argument: cst.Arg
    others: tuple[cst.Arg, ...]
    following: tuple[cst.Arg, ...]
    passes: str


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Take the call away from the callback; hand its arguments to the registrar."""
    site = _site(tree, span, args.get("registrar", ""))
    _require_plain(site.inner)
    start, end = tree.range(site.inner.func)[1], tree.range(site.inner)[1]
    return [tree.edit(start, end, "".join(f", {code_of(arg)}" for arg in _handed_on(site)))]


def _site(tree: Tree, span: Span, name: str) -> _Site:
    call = tree.at(span, cst.Call)
    argument = tree.parents.get(id(call))
    around = tree.parents.get(id(argument)) if isinstance(argument, cst.Arg) else None
    candidates = (around,) if name else (call, around)
    sites = [_fit(outer, name) for outer in candidates if isinstance(outer, cst.Call)]
    found = next((site for site in sites if site is not None), None)
    if found is None:
        raise Refused("no call in the place of a callback stands here")
    return found


def _fit(outer: cst.Call, name: str) -> _Site | None:
    """The call as a registering one, if it is one whose callback is a call."""
    registrar = _REGISTRARS.get((name or names.code(outer.func)).rpartition(".")[2])
    if registrar is None or any(arg.star for arg in outer.args):
        return None
    for number, arg in enumerate(outer.args):
        is_callback = arg.keyword.value == registrar.keyword if arg.keyword else number == registrar.position
        if is_callback and isinstance(arg.value, cst.Call):
            others = tuple(other for other in outer.args if other is not arg)
            return _Site(arg.value, arg, others, tuple(outer.args[number + 1 :]), registrar.passes)
    return None


def _require_plain(call: cst.Call) -> None:
    if not names.code(call.func) or call.func.lpar or call.lpar:
        raise Refused("what is called is no plain name")
    if comments(call):
        raise Refused("a comment stands between the arguments")
    if not all(not arg.star and _is_constant(arg.value) for arg in call.args):
        raise Refused("only names and constants can be handed on as they are")


def _is_constant(value: cst.BaseExpression) -> bool:
    """A name, an attribute of a name, or a literal; of operators only the sign of a number."""
    if isinstance(value, cst.UnaryOperation):
        return isinstance(value.expression, cst.BaseNumber)
    return isinstance(value, (cst.BaseNumber, cst.SimpleString)) or bool(names.code(value))


def _handed_on(site: _Site) -> list[cst.Arg]:
    """The arguments that follow the callback in the registering call."""
    given = without_comma(site.inner.args)
    follows_positional = any(arg.keyword is None for arg in site.following)
    if site.passes == "fields":
        if not given:
            return []
        if follows_positional or any(arg.keyword and arg.keyword.value in ("args", "kwargs") for arg in site.others):
            raise Refused("the registering call has arguments of its own")
        return _fields(given)
    if (site.passes == "none" and given) or (site.passes == "positional" and any(arg.keyword for arg in given)):
        raise Refused("the arguments cannot be handed on")
    if site.following or (given and site.argument.keyword is not None):
        raise Refused("the registering call has arguments of its own")
    return given


def _fields(given: list[cst.Arg]) -> list[cst.Arg]:
    """``args=(…,)`` and ``kwargs={…}``."""
    positional = [cst.Element(arg.value) for arg in given if arg.keyword is None]
    keywords = [cst.DictElement(cst.SimpleString(f'"{arg.keyword.value}"'), arg.value) for arg in given if arg.keyword]
    fields = [("args", cst.Tuple(positional))] if positional else []
    return [_keyword(*field) for field in (*fields, *([("kwargs", cst.Dict(keywords))] if keywords else []))]


def _keyword(name: str, value: cst.BaseExpression) -> cst.Arg:
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return cst.Arg(value, keyword=cst.Name(name), equal=equal)
