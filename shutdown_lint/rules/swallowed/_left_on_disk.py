"""Temporary files and folders that are removed behind the work, and the terminal that is put back there.

An exception or Ctrl-C in the work skips the step: what nobody else knows of stays on disk, the shell gets a terminal without echo.
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Body, Call, Const, Expr, If, Name, Return, Stmt, Subscript, Try, With
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.endings import catches
from shutdown_lint.project.scopes import Entered, Value
from shutdown_lint.rules.swallowed._catching import raises, statement_call
from shutdown_lint.rules.swallowed._pairs import Pair
from shutdown_lint.rules.swallowed._undoing import mentions
from shutdown_lint.walk import At, Site, argument, exprs, last_name, own_exprs, sites_at, subexprs, walk

REMOVES = frozenset({"rmtree", "rmdir", "removedirs", "remove", "unlink"})
_REMOVERS = ("shutil.rmtree", "os.rmdir", "os.removedirs", "os.remove", "os.unlink")
# The maker, and the position of the path in what it gives; the path of a file object is its `name`.
_MAKERS = {"tempfile.mkdtemp": -1, "tempfile.mkstemp": 1, "tempfile.mktemp": -1}
_FILE = "tempfile.NamedTemporaryFile"
# What fills a file, asks for paths or prints, and fails only where the disk is full.
_CALM = frozenset(
    {
        *("write", "writelines", "close", "flush", "seek", "fsync", "fileno", "fdopen", "open", "encode", "decode", "format", "join"),
        *("exists", "isdir", "isfile", "abspath", "basename", "dirname", "realpath", "splitext", "mkdir", "makedirs", "chmod", "Path"),
        *("print", "debug", "info", "warning", "error", "exception", "len", "str", "int", "list", "dict", "set", "range", "append", "time"),
        *("getpid", "uuid4", "strip", "split", "replace", "startswith", "endswith", "isinstance", "getattr", "super", *REMOVES),
        *("tcgetattr", "tcsetattr", "setraw", "setcbreak", "tcflush", "copy", "deepcopy", "mkstemp", "mkdtemp", "mktemp", "getuid", "dumps"),
        *("print_exc", "format_exc", "log", "critical"),
    }
)  # fmt: skip


def left_on_disk(fn: Fn, project: Project) -> Iterator[Pair]:
    """``folder = mkdtemp()`` … ``rmtree(folder)``, ``old = tcgetattr(fd)`` … ``tcsetattr(fd, when, old)``: one pair a name."""
    if fn.is_module or not fn.mentions & {*REMOVES, "tcsetattr"}:
        return
    said: set[str] = set()
    for at in fn.statements:
        undo = statement_call(at.stmt)
        name = _taken_back(undo, fn, project) if undo is not None else None
        if undo is None or name is None or name in said:
            continue
        start = _start(name, undo, _place(at, name), fn, project)
        if start is not None and not _is_seen_to(name, undo, fn, project):
            said.add(name)
            yield Pair(start, at, undo, _so(undo, name), start.block[start.position + 1 : _place(at, name).position])


def _so(undo: Call, name: str) -> str:
    return (
        "the terminal stays as it was set"
        if last_name(undo.func) == "tcsetattr"
        else f"what `{name}` names stays on disk"
    )


def _taken_back(undo: Call, fn: Fn, project: Project) -> str | None:
    """The name of the path that is removed (of the file whose path that is), or of the settings that are put back."""
    if project.calls.is_call_to(undo, fn, "termios.tcsetattr"):
        given = argument(undo, 2, "attributes")
        if isinstance(given, Name) and _is_altered(given.id, fn):
            return None
    elif last_name(undo.func) in REMOVES and project.calls.is_call_to(undo, fn, *_REMOVERS):
        given = argument(undo, 0, "path")
        given = given.value if isinstance(given, Attr) and given.name == "name" else given
    else:
        return None
    return given.id if isinstance(given, Name) else None


def _is_altered(name: str, fn: Fn) -> bool:
    """``new[3] &= ~termios.ECHO``: these are the settings that are wanted, not those to put back."""
    return any(
        isinstance(target, Subscript) and isinstance(target.value, Name) and target.value.id == name
        for at in fn.statements
        if isinstance(at.stmt, Assign)
        for target in at.stmt.targets
    )


def _place(at: At, name: str) -> At:
    """The statement, or the ``if os.path.exists(path):`` around it."""
    outer = at.outer
    if outer is not None and isinstance(outer.stmt, If) and at.part == "body":
        asked = outer.stmt.test
        if isinstance(asked, Call) and last_name(asked.func) in ("exists", "isdir", "isfile") and mentions(asked, name):
            return outer
    return at


def _start(name: str, undo: Call, place: At, fn: Fn, project: Project) -> At | None:
    """The statement of the same block that makes what is taken back, with work between that may fail or last."""
    bindings = fn.given(name)
    binding = bindings[0] if len(bindings) == 1 else None
    start = None
    if (
        isinstance(binding, Value)
        and isinstance(binding.at.stmt, Assign)
        and _makes(binding.expr, binding.item, undo, fn, project)
    ):
        start = binding.at
    elif isinstance(binding, Entered) and _makes(binding.context, binding.item, undo, fn, project):
        start = next((at for at in fn.statements if isinstance(at.stmt, With) and _enters(at.stmt, name)), None)
    if start is None or start.block is not place.block or start.position >= place.position:
        return None
    inside = start.stmt.body if isinstance(start.stmt, With) else ()
    between = (*inside, *start.block[start.position + 1 : place.position])
    return start if any(_is_work(site, name) for site in _unguarded(between)) else None


def _enters(stmt: With, name: str) -> bool:
    return any(isinstance(item.target, Name) and item.target.id == name for item in stmt.items)


def _makes(expr: Expr, item: int, undo: Call, fn: Fn, project: Project) -> bool:
    if not isinstance(expr, Call):
        return False
    if last_name(undo.func) == "tcsetattr":
        return project.calls.is_call_to(expr, fn, "termios.tcgetattr")
    if project.calls.is_call_to(expr, fn, _FILE):
        keeps = argument(expr, 99, "delete")
        return isinstance(keeps, Const) and keeps.value is False and isinstance(argument(undo, 0, "path"), Attr)
    return any(item == position and project.calls.is_call_to(expr, fn, maker) for maker, position in _MAKERS.items())


def _unguarded(between: Body) -> Iterator[Site]:
    """The calls that may raise past the step: not where a clause takes all errors and goes on, and not on another way out."""
    for at in walk(between):
        if not _is_caught(at) and not _leaves(at):
            yield from sites_at(at)


def _is_caught(at: At) -> bool:
    return any(
        place.part == "body"
        and place.outer is not None
        and isinstance(place.outer.stmt, Try)
        and any(
            catches(h.types, "Exception", "BaseException") and not raises(h.body) for h in place.outer.stmt.handlers
        )
        for place in at.around()
    )


def _leaves(at: At) -> bool:
    return any(
        place.outer is not None and isinstance(place.outer.stmt, If) and isinstance(place.block[-1], Return)
        for place in at.around()
    )


def _is_work(site: Site, name: str) -> bool:
    return site.awaited or last_name(site.call.func).lstrip("_") not in _CALM


def _is_seen_to(name: str, undo: Call, fn: Fn, project: Project) -> bool:
    """Whether another place removes it after an error, or somebody else gets to own it."""
    for at in fn.statements:
        stmt = at.stmt
        if isinstance(stmt, Try) and _mentioned((*stmt.final, *(s for h in stmt.handlers for s in h.body)), name):
            return True
        if isinstance(stmt, Return) and stmt.value is not None and _is_given(stmt.value, name):
            return True
        if isinstance(stmt, Assign) and stmt.value is not None and _is_given(stmt.value, name):
            if any(not isinstance(target, Name) for target in stmt.targets):
                return True
        if _is_registered(stmt, name, undo):
            return True
    return any(other.parent is fn and name in other.mentions for other in project.functions(fn.module))


def _is_registered(stmt: Stmt, name: str, undo: Call) -> bool:
    """``atexit.register(shutil.rmtree, folder)``, ``stack.callback(os.unlink, path)``: the step itself is handed to someone."""
    return any(
        isinstance(call, Call) and call is not undo and last_name(call.func) not in REMOVES and _hands_on(call, name)
        for root in own_exprs(stmt)
        for call in subexprs(root)
    )


def _hands_on(call: Call, name: str) -> bool:
    given = [arg.value for arg in call.args]
    return any(last_name(value) in REMOVES for value in given) and any(mentions(value, name) for value in given)


def _is_given(value: Expr, name: str) -> bool:
    """Whether the value holds the path itself, not what somebody made of it."""
    if isinstance(value, Call):
        return False
    return mentions(value, name)


def _mentioned(body: Body, name: str) -> bool:
    return any(mentions(root, name) for root in exprs(body))
