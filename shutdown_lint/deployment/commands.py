"""What a command line comes to: through inits, wrappers, shells and entry scripts to the program that it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from shutdown_lint.deployment.script import shell_of
from shutdown_lint.deployment.shell import Simple, commands, is_last
from shutdown_lint.models import Program as Known

MAX_LAYERS = 8
SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
# They run as PID 1, pass signals on and reap: their documentation says so.
INITS = frozenset(
    {"tini", "dumb-init", "catatonit", "docker-init", "init", "s6-svscan", "pid1", "tini-static", "my_init"}
)
# Programs that replace themselves by the command they are given (or pass signals on), with their options that take a value.
_WRAPPERS: Mapping[str, str] = {
    "env": "-u -C -S", "exec": "-a", "nice": "-n", "nohup": "", "setpriv": "", "chpst": "-u -e", "command": "",
    "ionice": "-c -n", "stdbuf": "-o -e -i", "setsid": "", "chrt": "", "taskset": "", "numactl": "", "unbuffer": "",
    "ddtrace-run": "", "opentelemetry-instrument": "", "sentry-run": "",
}  # fmt: skip
_WITH_USER = frozenset({"gosu", "su-exec"})  # one word (the user) stands before the command
_RUNNERS = frozenset({"poetry", "pipenv"})  # `poetry run x` replaces itself by x
# `uv run x` runs x as a child and passes SIGTERM on (uv/src/child.rs: run_to_completion; pdm/cli/commands/run.py: forward_signal)
_FORWARDERS: Mapping[str, str] = {
    "uv": "--project -p --python --with --with-requirements --extra --group --only-group --env-file --directory --index-url",
    "pdm": "-p --project",
}
# scripts that wait for a host, and replace themselves by the command behind `--`
_WAITERS = frozenset({"wait-for-it.sh", "wait-for-it", "wait-for", "wait-for.sh"})
_PYTHON = re.compile(r"(?:python|pypy)(?:\d+(?:\.\d+)*t?)?\Z")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PYTHON_VALUES = frozenset({"-W", "-X", "--check-hash-based-pycs"})
# Commands of Python tools that end by themselves: no service is lost when they are killed.
_ONE_SHOT = frozenset({"pytest", "pip", "tox", "nox", "coverage", "unittest", "compileall", "venv", "build", "http.server", "json.tool",
                       "mypy", "ruff", "black", "flake8", "alembic", "timeit", "ensurepip", "site", "setup.py", "zipfile"})  # fmt: skip
# what may stand behind the program: it reports, or takes its output
_TRIVIAL = frozenset({"echo", "printf", "exit", "true", ":", "tee", "logger", "sleep", "cat", "return", "wait", "ts"})
_DJANGO_SERVES = frozenset(
    {"runserver", "runserver_plus", "rqworker", "qcluster", "run_huey", "runworker", "process_tasks", "celery"}
)


class Program(NamedTuple):
    """What runs in the end.

    ``kind`` is ``module`` (``python -m name``), ``script`` (``python name``), ``server`` (a program of a library that
    the models know; ``name`` as they have it) or ``console`` (any other command). ``app`` is the application that a
    server is given, ``words`` the whole command.
    """

    kind: str
    name: str
    app: str
    words: tuple[str, ...]

    @property
    def title(self) -> str:
        """What messages call it."""
        return (
            self.name
            if self.kind in ("server", "console")
            else f"python {'-m ' if self.kind == 'module' else ''}{self.name}"
        )

    @property
    def one_shot(self) -> bool:
        """Whether it ends by itself, by its name."""
        base = self.name.rpartition("/")[2]
        if base == "manage.py":
            return len(self.words) < 2 or (
                self.words[-1] not in _DJANGO_SERVES and not _DJANGO_SERVES & set(self.words)
            )
        return base in _ONE_SHOT or self.name.partition(".")[0] in _ONE_SHOT


class Shell(NamedTuple):
    """A shell that stays between: ``text`` it was given, the command in it, its words with the shell's arguments put in,
    and whether that command is its last act."""

    name: str
    text: str
    command: Simple
    words: tuple[str, ...]
    last: bool
    exec: bool
    traps: bool


class Chain(NamedTuple):
    """From the first process to the program: ``init`` or empty, the ``shell`` with ``-c`` if any, a ``script`` if any.

    ``parent`` stays as the program's parent and passes signals on to it.
    """

    init: str
    shell: Shell | None
    script: str
    arguments: tuple[str, ...]
    program: Program | None
    parent: str = ""


def resolve(words: tuple[str, ...], known: Mapping[str, Known]) -> Chain:
    """The chain of an argument vector. What is not understood has no program."""
    init = parent = ""
    shell: Shell | None = None
    for _ in range(MAX_LAYERS):
        words = _past_wrapper(words)
        if not words:
            break
        name = words[0].rpartition("/")[2]
        if name in _WAITERS and "--" in words:
            words = words[words.index("--") + 1 :]
        elif name in _FORWARDERS and words[1:2] == ("run",):
            parent, words = name, _past_options(words[2:], _FORWARDERS[name])
        elif name in INITS:
            init, words = name, _past_options(words[1:], "-e -p -g" if name == "tini" else "-r")
        elif name in SHELLS:
            text, script, rest = shell_arguments(words)
            if script:
                return Chain(init, shell, script, rest, None, parent)
            inner = _in_text(name, text, rest, known) if shell is None else None
            if inner is None:
                break
            shell, words = inner, inner.words
        elif name.endswith((".sh", ".bash")) or name in ("entrypoint", "docker-entrypoint"):
            return Chain(init, shell, words[0], words[1:], None, parent)
        else:
            return Chain(init, shell, "", (), program(words, known), parent)
    return Chain(init, shell, "", (), None, parent)


def shell_arguments(words: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]]:
    """The text behind ``-c``, or the script; and the words behind it."""
    position = 1
    while position < len(words) and words[position][:1] in ("-", "+"):
        option = words[position]
        # `-o pipefail`, also as `-eo pipefail`
        takes_value = option in ("-O", "--rcfile", "--init-file") or (option[-1] == "o" and option[:2] != "--")
        position += 2 if takes_value else 1
        if not option.startswith("--") and "c" in option[1:]:
            # `bash -o pipefail -c x`, `sh -ec x`; further options may follow
            while position < len(words) - 1 and words[position] in ("-e", "-x", "-u", "--"):
                position += 1
            return words[position] if position < len(words) else "", "", words[position + 1 :]
    return "", words[position] if position < len(words) else "", words[position + 1 :]


def _in_text(name: str, text: str, rest: tuple[str, ...], known: Mapping[str, Known]) -> Shell | None:
    """The command in a shell's text that is the program: the last that is one, no one-shot before a last ``exec``."""
    found = commands(text)
    traps = any(_is_trap(command) for command in found)
    for number in range(len(found) - 1, -1, -1):
        command = found[number]
        words = _past_wrapper(command.words)
        if words in (("$@",), ("$0", "$@")):
            words = rest[1:] if words == ("$@",) else rest
        if words and _is_program(number, words, found, known):
            return Shell(name, text, command, words, is_last(number, found), command.words[0] == "exec", traps)
    return None


def _is_program(number: int, words: tuple[str, ...], found: tuple[Simple, ...], known: Mapping[str, Known]) -> bool:
    """Whether the command is what the text is there to run: a server, what ``exec`` runs, or what nothing of weight follows."""
    made = program(words, known)
    if found[number].words[0] == "exec" or (made is not None and made.kind == "server"):
        return True
    follows = any(later.words[0] not in _TRIVIAL for later in found[number + 1 :])
    return not follows and words[0] not in _TRIVIAL


def _is_trap(command: Simple) -> bool:
    """Whether it installs a handler for SIGTERM (or for the shell's end)."""
    return command.words[:1] == ("trap",) and len(command.words) > 2 and any(
        word.upper().removeprefix("SIG") in ("TERM", "15", "EXIT", "0", "INT", "2") for word in command.words[2:]
    )  # fmt: skip


def _past_wrapper(words: tuple[str, ...]) -> tuple[str, ...]:
    """The command that wrappers, which replace themselves, come to."""
    for _ in range(MAX_LAYERS):
        if not words:
            return ()
        name = words[0].rpartition("/")[2]
        if _ASSIGNMENT.match(words[0]):
            words = words[1:]
        elif name in _WRAPPERS:
            words = _past_options(words[1:], _WRAPPERS[name])
        elif name in _WITH_USER:
            words = words[2:]
        elif name in _WAITERS and "--" in words:
            words = words[words.index("--") + 1 :]
        elif name in _RUNNERS and words[1:2] == ("run",):
            words = _past_options(words[2:], "")
        elif name == "newrelic-admin" and words[1:2] == ("run-program",):
            words = words[2:]
        else:
            return words
    return words


def _past_options(words: tuple[str, ...], with_value: str) -> tuple[str, ...]:
    values = with_value.split()
    while words and words[0].startswith("-"):
        if words[0] == "--":
            return words[1:]
        words = words[2:] if words[0] in values else words[1:]
    return words


def program(words: tuple[str, ...], known: Mapping[str, Known]) -> Program | None:
    """The program of a command without wrappers."""
    words = _past_wrapper(words)
    if not words:
        return None
    name = words[0].rpartition("/")[2]
    if not _PYTHON.match(name):
        made = _named(name, words, known)
        # a script that is started by its own path: its `#!` line names Python
        return made if made.kind == "server" or not name.endswith(".py") else Program("script", words[0], "", words)
    position = 1
    while position < len(words) and words[position].startswith("-") and words[position] not in ("-m", "-c", "-"):
        if words[position].startswith("-") and words[position].endswith("m") and not words[position].startswith("--"):
            break  # `-um`
        position += 2 if words[position] in _PYTHON_VALUES else 1
    rest = words[position:]
    if not rest or rest[0] in ("-c", "-"):
        return None
    if rest[0].startswith("-"):
        if len(rest) < 2:
            return None
        made = _named(rest[1], rest[1:], known)
        return made if made.kind == "server" else Program("module", rest[1], "", rest[1:])
    if "$" in rest[0]:
        return None
    made = _named(rest[0].rpartition("/")[2], rest, known)
    return made if made.kind == "server" else Program("script", rest[0], "", rest)


def _named(name: str, words: tuple[str, ...], known: Mapping[str, Known]) -> Program:
    """A program by its own name: one of a library that the models know, else any."""
    candidates = [name, *(f"{name} {word}" for word in words[1:] if not word.startswith("-"))]
    found = next((known[candidate] for candidate in candidates if candidate in known), None)
    if found is None:
        return Program("console", name, "", words)
    return Program("server", found.name, _app(words, found), words)


def _app(words: tuple[str, ...], known: Known) -> str:
    if known.app and known.app != "*":
        return option(words, known.app, "--app") or ""
    return next((word for word in words[1:] if not word.startswith("-") and re.match(r"[\w.]+:[\w.]+", word)), "")


def option(words: tuple[str, ...], *names: str) -> str | None:
    """The value of an option: ``--name value``, ``--name=value``, ``-n value``."""
    for number, word in enumerate(words):
        for name in names:
            if word == name and number + 1 < len(words):
                return words[number + 1]
            if word.startswith(f"{name}="):
                return word[len(name) + 1 :]
    return None


class InScript(NamedTuple):
    """A command of an entry script that is the program: how it is run, and whether the script does that rightly."""

    command: Simple
    program: Program | None
    passes_on: bool
    last: bool
    is_exec: bool


def in_script(text: str, known: Mapping[str, Known]) -> tuple[InScript, ...]:
    """The commands of an entry script that are its program: those that are last, and servers wherever they stand.

    Empty where the script handles signals itself (``trap``).
    """
    found = commands(text)
    if not shell_of(text) or any(_is_trap(command) for command in found):
        return ()
    kept = []
    for number, command in enumerate(found):
        words = _past_wrapper(command.words)
        passes_on = words == ("$@",)
        made = program(words, known) if not passes_on else None
        last = is_last(number, found)
        is_python = made is not None and made.kind != "console"
        if (last or (made is not None and made.kind == "server")) and (
            passes_on or is_python or command.words[0] == "exec"
        ):
            kept.append(InScript(command, made, passes_on, last, command.words[0] == "exec"))
    return tuple(kept)
