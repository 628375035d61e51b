"""From a file's bytes to its facts, or to the reason why there are none. Nothing here raises because of the bytes."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, Union

from shutdown_lint import bounds
from shutdown_lint.source import SourceFile, Trouble, TroubleError, decode, digest

if TYPE_CHECKING:
    from shutdown_lint.facts import ModuleFacts

_ONLY_AST = 0x400  # ast.PyCF_ONLY_AST, without importing ast
_PYTHON_2 = re.compile(
    r"Missing parentheses in call to '(print|exec)'|multiple exception types must be parenthesized"
    r"|leading zeros in decimal integer literals|invalid (decimal|hexadecimal) literal"
)
_CONFLICT = re.compile(r"(<{7}|={7}|>{7})(\s|$)")


class Task(NamedTuple):
    """One file to take in. Without ``lower``, only its syntax is asked for (no rule can fire in it)."""

    file: SourceFile
    data: bytes
    lower: bool


# None: the file was only to be checked for its syntax, and that is sound
Outcome: TypeAlias = Union["ModuleFacts", Trouble, None]


def take_in(task: Task) -> Outcome:
    """The facts of a file, or its trouble."""
    try:
        text = decode(task.data)
        return _lowered(text, task) if task.lower else _checked(text, task)
    except TroubleError as error:
        return error.trouble


def _lowered(text: str, task: Task) -> Outcome:
    from shutdown_lint.lower import lower_module

    file = task.file
    try:
        module = lower_module(
            text, path=file.path, name=file.name, is_package=file.is_package, digest=digest(task.data)
        )
        return module._replace(elsewhere=file.elsewhere) if file.elsewhere else module
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # what is newer than the running Python, or beyond the bounds; not every text is for LibCST's parser
        return bounds.check(text) or _parsed(text, task)
    except Exception as error:  # noqa: BLE001  # a mistake in lowering must cost this file only
        return internal_error("reading the file", error)


def _parsed(text: str, task: Task) -> Outcome:
    from shutdown_lint.lower import SyntaxTrouble, lower_newer

    file = task.file
    try:
        module = lower_newer(text, path=file.path, name=file.name, is_package=file.is_package, digest=digest(task.data))
        return module._replace(elsewhere=file.elsewhere)
    except SyntaxTrouble as error:
        return _syntax_trouble(text, error.line, error.col, error.message)
    except (RecursionError, MemoryError):
        return Trouble("SHD903", "nested too deeply to be analysed")
    except Exception as error:  # noqa: BLE001  # a mistake in lowering must cost this file only
        return internal_error("reading the file", error)
    except BaseException as error:
        # a panic of LibCST's native part is no Exception, so that nobody hides it by accident
        if type(error).__name__ == "PanicException":
            return internal_error("parsing the file", error)
        raise


def internal_error(doing: str, error: BaseException) -> Trouble:
    """SHD904; with ``SHUTDOWN_LINT_TRACEBACK`` set, its help is the traceback."""
    import os
    import traceback

    if os.environ.get("SHUTDOWN_LINT_TRACEBACK"):
        advice = "".join(traceback.format_exception(error)).rstrip()
    else:
        advice = "this is a mistake in shutdown-lint: run with --traceback and report it"
    first = str(error).partition("\n")[0][:200]
    return Trouble("SHD904", f"{doing} failed with {type(error).__name__}{': ' + first if first else ''}", help=advice)


def _checked(text: str, task: Task) -> Outcome:
    error = _cpython_error(text)
    # a tree that is too deep to be handed out was parsed before
    if error is None or isinstance(error, RecursionError):
        return None
    deep = bounds.check(text)
    if deep is not None:
        return _worded(text, error) if isinstance(error, SyntaxError) else deep
    # where the running Python is older than the file, LibCST has the last word
    outcome = _parsed(text, task)
    return outcome if isinstance(outcome, Trouble) else None


def _cpython_error(text: str) -> Exception | None:
    """What the running interpreter's parser has against the text.

    Its symbol table (``symtable``) needs no tree of Python objects, a quarter of the time. What that is against beyond the
    grammar (a ``nonlocal`` of nothing) is no trouble: such files are analysed where rules have something to say.
    """
    from symtable import symtable

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            symtable(text, "<source>", "exec")
            return None
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
        try:
            compile(text, "<source>", "exec", _ONLY_AST, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return error
    return None


def _syntax_trouble(text: str, line: int, col: int, message: str) -> Trouble:
    error = _cpython_error(text)
    if isinstance(error, SyntaxError):
        return _worded(text, error)
    if error is None:
        return Trouble("SHD900", "syntax that this version cannot read, although Python can", line, col)
    return Trouble("SHD900", f"syntax error: {message}", line, col)


def _worded(text: str, error: SyntaxError) -> Trouble:
    message, line = error.msg, error.lineno or 1
    advice = "this looks like Python 2" if _PYTHON_2.search(message) else ""
    lines = re.split(r"\r\n|\n|\r", text)
    if 0 < line <= len(lines) and _CONFLICT.match(lines[line - 1]):
        advice = "this is a merge conflict mark"
    return Trouble(
        "SHD900", f"syntax error: {message[:1].lower()}{message[1:]}", line, max(error.offset or 1, 1), advice
    )
