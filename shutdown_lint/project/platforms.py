"""Tests of the platform, as they come out where SIGTERM is sent: on POSIX systems."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from shutdown_lint.facts import Attr, Call, Const, Expr, If, Import, Op, Subscript
from shutdown_lint.walk import At, dotted, last_name

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.handles import Fn

_ASKED = frozenset({"sys.platform", "os.name", "platform.system"})
# Constants and functions that say so by their name.
_FLAG = re.compile(r"_*((is|on|os_is|running_on)_?)?(windows|win32|winnt)_*", re.IGNORECASE)
_FOR_WINDOWS = re.compile(r"(^|_)(windows|win32|winnt)$")
_WINDOWS = ("win32", "cygwin", "nt", "Windows")
# Modules that only Windows has: those of CPython, and those of pywin32.
_ONLY_WINDOWS = frozenset({
    "msvcrt", "winreg", "_winapi", "winsound", "pywintypes", "pythoncom", "win32api", "win32com", "win32con", "win32event", "win32file",
    "win32gui", "win32pipe", "win32process", "win32service", "win32serviceutil", "servicemanager", "winerror",
})  # fmt: skip


def on_posix(test: Expr) -> bool | None:
    """``sys.platform == "win32"``, ``os.name != "nt"``, ``sys.platform.startswith("win")``, ``IS_WINDOWS``; None for any other test."""
    if isinstance(test, Op) and test.op == "not" and len(test.operands) == 1:
        inner = on_posix(test.operands[0])
        return None if inner is None else not inner
    if _FLAG.fullmatch(last_name(test.func if isinstance(test, Call) and not test.args else test)):
        return False
    if isinstance(test, Op) and test.op in ("==", "!=") and len(test.operands) == 2:
        asked, value = test.operands
        if isinstance(value, Const) and value.value in _WINDOWS and (_asks(asked) or _keeps_answer(asked)):
            return test.op == "!="
        if _asks(asked) and isinstance(value, Const):
            return (test.op == "==") if value.value == "posix" else None
    if isinstance(test, Call) and isinstance(test.func, Attr) and test.func.name == "startswith" and test.args:
        given = test.args[0].value
        if _asks(test.func.value) and isinstance(given, Const) and given.value in ("win", *_WINDOWS):
            return False
    return None


def is_for_windows(at: At) -> bool:
    """Whether the place stands in the branch of such a test that POSIX systems never take."""
    return any(
        place.outer is not None
        and isinstance(place.outer.stmt, If)
        and place.part in ("body", "orelse")
        and on_posix(place.outer.stmt.test) is (place.part == "orelse")
        for place in at.around()
    )


def is_for_older_python(at: At, oldest: tuple[int, int]) -> bool:
    """Whether the place stands in a branch for Pythons that the project does not run on: ``if sys.version_info < (3, 7):``."""
    for place in at.around():
        test = place.outer.stmt.test if place.outer is not None and isinstance(place.outer.stmt, If) else None
        if not isinstance(test, Op) or test.op not in ("<", ">=") or len(test.operands) != 2:
            continue
        asked, bound = test.operands
        asked = asked.value if isinstance(asked, Subscript) else asked
        numbers = tuple(getattr(item, "value", None) for item in getattr(bound, "items", ()))
        if dotted(asked) != "sys.version_info" or not all(isinstance(number, int) for number in numbers):
            continue
        if (test.op == "<") == (place.part == "body") and place.part in ("body", "orelse") and numbers[:2] <= oldest:
            return True
    return False


def runs_on_windows(fn: Fn, project: Project) -> bool:
    """Whether a function says by its name that it is for Windows, or is called in such branches only."""
    callers = project.calls.callers(fn)
    named = _FOR_WINDOWS.search(fn.name) is not None
    return named or (bool(callers) and all(is_for_windows(caller.site.at) for caller in callers))


def is_windows_module(name: str) -> bool:
    """Whether a module says by its name that it is for Windows: ``package.platform.windows``."""
    return name.rpartition(".")[2].strip("_").lower() in ("windows", "win32", "win", "winnt")


def imports_windows(body: Iterable[At]) -> bool:
    """Whether a module's body imports, without a condition or a way around, what only Windows has: it can run nowhere else."""
    return any(
        at.outer is None
        and isinstance(at.stmt, Import)
        and any(name.level == 0 and name.module.partition(".")[0] in _ONLY_WINDOWS for name in at.stmt.names)
        for at in body
    )


def _keeps_answer(expr: Expr) -> bool:
    """``self.platform``, ``PLATFORM``: what was asked earlier, by its name."""
    return last_name(expr).strip("_").lower() in ("platform", "os_name", "system", "system_name")


def _asks(expr: Expr) -> bool:
    return dotted(expr.func if isinstance(expr, Call) else expr) in _ASKED
