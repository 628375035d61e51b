"""Argument parsers, built from the table of options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

from shutdown_lint.options import GROUPS, OPTIONS, Option


class UsageError(Exception):
    """The command line makes no sense."""


class Target(NamedTuple):
    """One output: its format, the file that it goes to (None: stdout)."""

    format: str
    file: str | None = None


class _Output(argparse.Action):
    """Collects formats and files in the order in which they were given, as ``(flag, word)``."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: Any = None
    ) -> None:
        namespace.outputs = [*(namespace.outputs or ()), (self.option_strings[0], values)]


class Parser(argparse.ArgumentParser):
    """A parser that raises ``UsageError`` and prints nothing by itself."""

    def __init__(self, prog: str, usage: str, description: str) -> None:
        super().__init__(prog=prog, usage=usage, description=description, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """See ``UsageError``."""
        raise UsageError(f"{message} (see `{self.prog} --help`)")


def check_parser() -> Parser:
    """The parser of ``check``."""
    parser = Parser(
        "shutdown-lint check",
        "shutdown-lint [check] [OPTIONS] [PATH ...]",
        "Find what the program loses, leaves behind or hangs on when it is asked to stop.",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; - reads stdin (default: .)")
    for title, options in GROUPS:
        group = parser.add_argument_group(title)
        for option in options:
            if option.flag:
                group.add_argument(option.flag, **_arguments(option))
    more = parser.add_argument_group("more")
    more.add_argument("-v", "--verbose", action="store_true", help="tell on stderr what is configured and read")
    more.add_argument("-q", "--quiet", action="store_true", help="print nothing but findings")
    more.add_argument("-h", "--help", action="store_true", help="print this help")
    return parser


def _arguments(option: Option) -> dict[str, Any]:
    """The keyword arguments of ``add_argument``; an option that is not given is None."""
    default = option.default.strip('"')
    told = "" if default in ("", "[]", "false", "usual", "none") else f" (default: {default})"
    text = f"{option.help}{told}".replace("%", "%%")
    out: dict[str, Any] = {"help": text, "dest": dest(option.flag), "default": None}
    if option.kind == "switch":
        return {**out, "action": "store_true"}
    if option.kind == "choice":
        return {**out, "choices": option.words}
    if option.kind in ("format", "file"):
        names = {"choices": option.words} if option.words else {"metavar": option.metavar}
        return {**out, **names, "action": _Output, "dest": "outputs"}
    if option.kind == "places":
        return {**out, "action": "extend", "nargs": "+", "metavar": option.metavar}
    if option.kind in ("selectors", "patterns", "texts"):
        return {**out, "action": "append", "metavar": option.metavar}
    return {**out, "metavar": option.metavar, "type": positive if option.kind == "number" else str}


def dest(flag: str) -> str:
    """``--output-file`` → ``output_file``."""
    return flag.lstrip("-").replace("-", "_")


def positive(text: str) -> int:
    """The number that an argument is. Raises what argparse asks for."""
    if not text.isdecimal() or not 0 < int(text) < 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def parse_check(given: Sequence[str]) -> argparse.Namespace:
    """The arguments of ``check``; flags and paths in any order, after ``--`` only paths. Raises ``UsageError``."""
    words = list(given[1:] if given[:1] == ["check"] else given)
    end = words.index("--") if "--" in words else len(words)
    parsed = check_parser().parse_intermixed_args(words[:end])
    parsed.paths = [*parsed.paths, *words[end + 1 :]] or ["."]
    parsed.targets = targets(parsed.outputs or ())
    return parsed


def targets(given: Sequence[tuple[str, str]]) -> list[Target]:
    """The outputs that the flags ask for: a format and a file that stand next to each other belong together.

    Raises ``UsageError`` when two would go to the same place.
    """
    pairs: list[list[str | None]] = []
    for flag, word in given:
        part = int(flag == "--output-file")
        if pairs and pairs[-1][part] is None:
            pairs[-1][part] = word
        else:
            pairs.append([None, word] if part else [word, None])
    found = [Target(name or "full", file) for name, file in pairs] or [Target("full")]
    for number, (name, file) in enumerate(found):
        if file in [target.file for target in found[:number]]:
            where = f"to {file}" if file else "to stdout: name an --output-file next to each format but one"
            raise UsageError(f"both `{found[0].format}` and `{name}` would go {where}")
    return found


def values_by_key(parsed: argparse.Namespace) -> dict[str, Any]:
    """What the command line says about settings, by configuration key; lists split at commas."""
    given = ((option, getattr(parsed, dest(option.flag))) for option in OPTIONS if option.key and option.flag)
    return {
        option.key: _split(value) if option.kind in ("selectors", "patterns") else value
        for option, value in given
        if value is not None
    }


def _split(texts: Sequence[str]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]
