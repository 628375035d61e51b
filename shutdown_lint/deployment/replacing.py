"""Whether a shell can be replaced by its last command, with nothing else changed: by ``exec``, or by having no shell at all.

What ``exec`` changes besides the process: traps of the shell are gone, background processes get another parent, and the
name must be a program's (POSIX XCU 2.15, exec; 2.9.1.4, command search). Each of these is a reason to leave a text alone.
"""

from __future__ import annotations

import re
import shlex

from shutdown_lint.deployment.commands import SHELLS, shell_arguments
from shutdown_lint.deployment.shell import Simple, commands, starts_background

EXEC = "exec "
# no quote, expansion, glob, operator or comment: the words are the same for every shell, and in JSON
_PLAIN = re.compile(r"[\w@%+=:,./^ \t'\"-]+")
# what only a shell can run (POSIX XCU 1.6; Bash Reference Manual 4)
_BUILTINS = frozenset(
    {".", ":", "[[", "alias", "bg", "builtin", "cd", "command", "declare", "eval", "exec", "exit", "export", "fg", "jobs", "let", "local",
     "read", "readonly", "return", "set", "shift", "shopt", "source", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait"}
)  # fmt: skip
# what may set a trap, or start something that goes on in the background, unseen here
_OPAQUE = {
    "trap": "the shell has a trap, which would be gone",
    "eval": "`eval` may set a trap",
    "coproc": "a coprocess would become a child of the program",
}
_SOURCES = frozenset({".", "source"})
_FUNCTION = re.compile(r"(?:^|[\s;&|{(])(?:function\s+([^\s(]+)|([^\s()$`'\"]+)\s*\(\s*\))", re.MULTILINE)
_ALIAS = re.compile(r"\balias\s+(?:-\S+\s+)*([^\s=]+)=")
_PREFIXES = frozenset({"!", "time"})


def shell_text(words: tuple[str, ...]) -> str:
    """The text that an argument vector gives to its shell by ``-c``; empty without one."""
    for number, word in enumerate(words):
        if word.rpartition("/")[2] in SHELLS:
            text, script, _ = shell_arguments(words[number:])
            return "" if script else text
    return ""


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text that is one simple command without any syntax of the shell; none for any other."""
    if not _PLAIN.fullmatch(text):
        return ()
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        return ()
    found = commands(text)
    # two readers must agree; a keyword or an assignment at the beginning is where they differ
    if len(found) != 1 or found[0].words != words or words[0] in _BUILTINS or found[0].frames:
        return ()
    return words


def offset_of(text: str, command: Simple) -> int:
    """Where a command of the text begins."""
    start = 0
    for _ in range(command.line - 1):
        start = text.index("\n", start) + 1
    return start + command.col - 1


def why_not(text: str, command: Simple) -> str:
    """Why ``exec`` cannot be put before a command of the text with nothing else changed; empty where it can."""
    found = commands(text)
    return (
        _of_place(command)
        or ("" if found and found[-1] == command else "more follows the command")
        or ("a process in the background would become a child of the program" if starts_background(text) else "")
        or _of_name(text, command)
        or next((why for other in found[:-1] if (why := _of_others(other))), "")
        or ("it is negated or timed" if _PREFIXES & set(_before(text, offset_of(text, command))) else "")
    )


def _of_place(command: Simple) -> str:
    if command.words[0] == "exec":
        return "it is behind `exec` already"
    if command.piped:
        return "it is part of a pipeline"
    if command.background:
        return "it runs in the background"
    if command.frames:
        return "it stands in a branch, a loop, a group or a function"
    return "" if command.after in ("", "\n", ";") else "more follows the command"


def _of_name(text: str, command: Simple) -> str:
    name = command.words[0]
    functions = {one or other for one, other in _FUNCTION.findall(text)}
    if name == "$@":
        return "its arguments may name a function of the script" if functions else ""
    if name in _BUILTINS or name in functions or name in _ALIAS.findall(text):
        return f"`{name}` is no program here, but the shell's own"
    return "its name is known only when it runs" if "$" in name or "`" in name else ""


def _of_others(other: Simple) -> str:
    """What another command of the text means for those behind it."""
    if other.words[0] in _SOURCES:
        # the scripts of venv and virtualenv, which set variables and functions of their own only
        is_venv = len(other.words) > 1 and other.words[1].endswith("bin/activate")
        return "" if is_venv else f"it reads `{' '.join(other.words[1:2])}`, which may set a trap"
    return _OPAQUE.get(other.words[0], "")


def _before(text: str, start: int) -> list[str]:
    """The words before a command that belong to the same pipeline."""
    return re.split(r"[;&|(\n]", text[:start].replace("\\\n", " "))[-1].split()
