"""What a ``@contextmanager`` takes back behind its ``yield``: what the ``with`` block raises is raised in the ``yield``, and skips it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.facts import (
    Assign,
    Attr,
    Await,
    Call,
    Const,
    Expr,
    For,
    If,
    Name,
    Return,
    Subscript,
    Try,
    While,
    With,
)
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.swallowed._catching import statement_call
from shutdown_lint.walk import At, argument, last_name, line_of, same, text, walk, yields

_MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})
# What is ended behind the `yield` of an object that the function has made.
_ENDS = frozenset(
    {
        "close",
        "aclose",
        "stop",
        "shutdown",
        "terminate",
        "kill",
        "quit",
        "disconnect",
        "release",
        "server_close",
        "cleanup",
    }
)
# The second step takes back the first, on the same object.
_OPPOSITES = {
    "release": frozenset({"acquire"}),
    "stop": frozenset({"start"}),
    "pop": frozenset({"push", "append"}),
    "exit": frozenset({"enter"}),
    "leave": frozenset({"enter", "join"}),
    "unlock": frozenset({"lock"}),
    "disconnect": frozenset({"connect"}),
    "close": frozenset({"open", "connect"}),
    "remove": frozenset({"add", "append"}),
    "discard": frozenset({"add"}),
    "unregister": frozenset({"register"}),
    "unsubscribe": frozenset({"subscribe"}),
    "enable": frozenset({"disable"}),
    "disable": frozenset({"enable"}),
    "resume": frozenset({"pause", "suspend"}),
    "unblock": frozenset({"block"}),
    "reset": frozenset({"set"}),
    "set": frozenset({"clear"}),
    "clear": frozenset({"set"}),
}
_REMOVES = frozenset({"rmtree", "rmdir", "removedirs", "remove", "unlink"})
# Words before a common rest: `begin_trace` … `end_trace`.
_BEGINNINGS = {
    "end": frozenset({"begin", "start"}),
    "finish": frozenset({"begin", "start"}),
    "stop": frozenset({"start"}),
    "leave": frozenset({"enter", "join"}),
    "exit": frozenset({"enter"}),
    "pop": frozenset({"push"}),
    "release": frozenset({"acquire"}),
    "unlock": frozenset({"lock"}),
    "remove": frozenset({"add"}),
    "unregister": frozenset({"register"}),
    "detach": frozenset({"attach"}),
    "deactivate": frozenset({"activate"}),
    "disable": frozenset({"enable"}),
    "enable": frozenset({"disable"}),
    "uninstall": frozenset({"install"}),
    "resume": frozenset({"pause", "suspend"}),
}
# What is completed only where all went well.
_COMPLETED = re.compile(
    r"transaction|batch|document|record|timer|timing|clock|progress|bar$|section|block|element|tag$|frame$|line$"
)
_MADE_AT = frozenset({"makedirs", "mkdir"})
_MAKES = frozenset({"mkdtemp", "mkstemp", "mktemp", "NamedTemporaryFile"})


class Left(NamedTuple):
    """The ``step`` behind the ``yield`` that takes back ``start``; ``minor`` where little is lost with it."""

    step: Call | Assign
    start: At
    minor: bool


def left_at_yield(fn: Fn, project: Project) -> Iterator[Left]:
    """The first step of the function that an exception of the ``with`` block skips."""
    if not fn.facts.is_generator or not fn.decorator_names & _MANAGERS:
        return
    places = [at for at in fn.statements if any(True for _ in yields(at))]
    if len(places) > 1:  # `if not wanted: yield; return` is a course of its own
        places = [at for at in places if at.outer is None or not isinstance(at.block[-1], Return)]
    if len(places) != 1 or not _is_open(places[0]):
        return
    for at in _behind(places[0]):
        start = _taken_back(at, places[0], fn)
        if start is not None:
            call = statement_call(at.stmt)
            step = call if call is not None else at.stmt
            assert isinstance(step, (Call, Assign))
            yield Left(step, start, _is_minor(step, fn, project))
            return


def _is_minor(step: Call | Assign, fn: Fn, project: Project) -> bool:
    """Whether it sets back a variable, closes what the collector closes as well, or ends with the program (``lifespan``)."""
    if isinstance(step, Assign) or "lifespan" in fn.name:
        return True
    func = step.func
    if not isinstance(func, Attr) or func.name != "close" or not isinstance(func.value, Name):
        return False
    return not project.resources.kinds_of(func.value, fn) - {"file", "socket", "fd"}


def _is_open(place: At) -> bool:
    """Whether nothing around the ``yield`` sees what is raised in it, and it is no loop over several."""
    for at in place.around():
        outer = at.outer.stmt if at.outer is not None else None
        if isinstance(outer, (Try, For, While)):
            return False
        # an exit stack holds the steps itself, and `suppress` goes on behind the block
        if isinstance(outer, With) and any(
            "tack" in text(i.context) or "suppress" in text(i.context) for i in outer.items
        ):
            return False
    return True


def _behind(place: At) -> Iterator[At]:
    """What runs when the ``with`` block is left without an exception, the branches of an ``if`` with it."""
    for at in place.around():
        for inner in walk(at.after()):
            if all(outer.outer is None or isinstance(outer.outer.stmt, If) for outer in inner.around()):
                yield inner


def _taken_back(at: At, place: At, fn: Fn) -> At | None:
    """The place before the ``yield`` whose doing the step takes back."""
    stmt = at.stmt
    if isinstance(stmt, Assign):
        return _set_back(stmt, place, fn)
    call = statement_call(stmt)
    if call is None:
        return None
    before = [other for other in fn.statements if 0 < line_of(other.stmt) < line_of(place.stmt)]
    return (
        _put_back(call, before, fn)
        or _ended(call, before, fn)
        or _undone(call, before)
        or _begun(call, before)
        or _made_at(call, before)
    )


def _set_back(stmt: Assign, place: At, fn: Fn) -> At | None:
    """``old = self.flag; self.flag = True; yield; self.flag = old``, ``self.busy = True; yield; self.busy = False``."""
    target = stmt.targets[0] if len(stmt.targets) == 1 else None
    if not isinstance(target, (Attr, Subscript)):
        return None
    first = 0
    if isinstance(stmt.value, Name):
        saved = _made(stmt.value.id, fn)
        if saved is None or not same(saved.expr, target):
            return None
        first = line_of(saved.at.stmt)
    elif not (isinstance(stmt.value, Const) and stmt.value.value in (None, True, False)):
        return None
    for other in fn.statements:
        inner = other.stmt
        if isinstance(inner, Assign) and first < line_of(inner) < line_of(place.stmt):
            if any(same(changed, target) for changed in inner.targets) and not same(inner.value, stmt.value):
                return other
    return None


def _put_back(call: Call, before: list[At], fn: Fn) -> At | None:
    """``token = current.set(x)`` … ``current.reset(token)``, ``os.chdir(folder)`` … ``os.chdir(old)``."""
    given = [saved for arg in call.args if isinstance(arg.value, Name) and (saved := _made(arg.value.id, fn))]
    given = [saved for saved in given if any(saved.at.stmt is other.stmt for other in before)]
    if not given:
        return None
    if last_name(call.func) in _REMOVES:
        return next((s.at for s in given if isinstance(s.expr, Call) and last_name(s.expr.func) in _MAKES), None)
    for saved in given:
        expr = saved.expr
        if last_name(call.func) == "reset" and isinstance(call.func, Attr) and isinstance(expr, Call):
            if isinstance(expr.func, Attr) and same(expr.func.value, call.func.value):
                return saved.at
    for other in before:
        earlier = statement_call(other.stmt) or _assigned(other)
        if earlier is None or not same(earlier.func, call.func):
            continue
        back = _only_other(earlier, call)
        made = _made(back.id, fn) if isinstance(back, Name) else None
        if made is not None and any(saved.at.stmt is made.at.stmt for saved in given):
            return other
    return None


def _only_other(earlier: Call, call: Call) -> Expr | None:
    """The one argument that differs: ``signal.signal(SIGINT, stop)`` … ``signal.signal(SIGINT, old)``."""
    if len(earlier.args) != len(call.args):
        return None
    pairs = zip(earlier.args, call.args, strict=True)
    differ = [two.value for one, two in pairs if one.keyword != two.keyword or text(one.value) != text(two.value)]
    return differ[0] if len(differ) == 1 else None


def _ended(call: Call, before: list[At], fn: Fn) -> At | None:
    """``client = connect()`` … ``client.close()``."""
    if last_name(call.func) not in _ENDS or not isinstance(call.func, Attr) or not isinstance(call.func.value, Name):
        return None
    made = _made(call.func.value.id, fn)
    if made is None or not isinstance(made.expr, Call) or not any(made.at.stmt is other.stmt for other in before):
        return None
    return made.at


def _undone(call: Call, before: list[At]) -> At | None:
    """``lock.acquire()`` … ``lock.release()``, ``hooks.register(x)`` … ``hooks.unregister(x)``."""
    firsts = _OPPOSITES.get(last_name(call.func), frozenset())
    if not firsts or not isinstance(call.func, Attr):
        return None
    for other in before:
        earlier = statement_call(other.stmt)
        if earlier is None or not isinstance(earlier.func, Attr) or earlier.func.name not in firsts:
            continue
        if same(earlier.func.value, call.func.value) and (not call.args or _same_args(earlier, call)):
            return other
    return None


def _begun(call: Call, before: list[At]) -> At | None:
    """``spans.begin_span(name)`` … ``spans.end_span()``."""
    word, _, rest = last_name(call.func).lstrip("_").partition("_")
    firsts = _BEGINNINGS.get(word, frozenset()) if rest and not _COMPLETED.search(rest) else frozenset()
    if not firsts or not isinstance(call.func, Attr):
        return None
    for other in before:
        earlier = statement_call(other.stmt)
        if earlier is None or not isinstance(earlier.func, Attr) or not same(earlier.func.value, call.func.value):
            continue
        first, _, same_rest = earlier.func.name.lstrip("_").partition("_")
        if first in firsts and same_rest == rest:
            return other
    return None


def _made_at(call: Call, before: list[At]) -> At | None:
    """``os.makedirs(folder)`` … ``shutil.rmtree(folder)``: not ``exist_ok``, so that the folder is its own."""
    if last_name(call.func) not in ("rmtree", "rmdir") or not call.args:
        return None
    for other in before:
        earlier = statement_call(other.stmt)
        if earlier is None or last_name(earlier.func) not in _MADE_AT or not earlier.args:
            continue
        if same(earlier.args[0].value, call.args[0].value) and argument(earlier, 2, "exist_ok") is None:
            return other
    return None


def _same_args(one: Call, other: Call) -> bool:
    return len(one.args) >= len(other.args) and all(same(a.value, b.value) for a, b in zip(one.args, other.args))


def _assigned(at: At) -> Call | None:
    value = at.stmt.value if isinstance(at.stmt, Assign) else None
    value = value.value if isinstance(value, Await) else value
    return value if isinstance(value, Call) else None


def _made(name: str, fn: Fn) -> Value | None:
    """The one value that the name is bound to; of an await, what is awaited."""
    bindings = fn.given(name)
    if len(bindings) != 1 or not isinstance(bindings[0], Value):
        return None
    value = bindings[0]
    expr: Expr = value.expr.value if isinstance(value.expr, Await) else value.expr
    return Value(expr, value.item, value.at)
