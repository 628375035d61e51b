"""The two dialects of INI files: sections of keys with their places, repeated keys and continuation lines kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shutdown_lint.deployment.facts import BrokenError, Setting, Span, line_span


class Section(NamedTuple):
    """A section: its name, where its head is, all its settings in order."""

    name: str
    span: Span
    settings: tuple[tuple[str, Setting], ...]


def systemd(text: str) -> Iterator[Section]:
    """systemd.syntax(7): a backslash joins lines (with a space), ``#`` and ``;`` begin comments, keys may repeat."""
    lines = text.split("\n")
    joined: list[tuple[int, str]] = []
    number = 0
    while number < len(lines):
        first, value = number, lines[number]
        number += 1
        if value.lstrip()[:1] in ("#", ";"):
            continue
        while value.endswith("\\") and number < len(lines):
            following = lines[number]
            number += 1
            if following.lstrip()[:1] not in ("#", ";"):
                value = f"{value[:-1].rstrip()} {following.strip()}"
        joined.append((first + 1, value))
    yield from _sections(joined, lines)


def supervisor(text: str) -> Iterator[Section]:
    """The dialect of supervisord: indented lines go on, `` ;`` begins a comment."""
    lines = text.split("\n")
    joined: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        bare = line.partition(" ;")[0].rstrip()
        if not bare.strip() or bare.lstrip()[:1] in ("#", ";"):
            continue
        if line[0] in " \t" and joined and "=" in joined[-1][1]:
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {bare.strip()}")
        else:
            joined.append((number, bare))
    yield from _sections(joined, lines)


def _sections(joined: list[tuple[int, str]], lines: list[str]) -> Iterator[Section]:
    name, place, found = "", Span(1, 1, 1, 1), list[tuple[str, Setting]]()
    for number, line in joined:
        bare = line.strip()
        if not bare:
            continue
        if bare[0] == "[":
            if not bare.endswith("]"):
                raise BrokenError("a section without its closing bracket", number)
            if name:
                yield Section(name, place, tuple(found))
            name, place, found = bare[1:-1].strip(), line_span(number, lines[number - 1]), []
        elif name:
            key, equals, value = bare.partition("=")
            if equals:
                found.append((key.strip(), Setting(value.strip(), line_span(number, lines[number - 1]))))
    if name:
        yield Section(name, place, tuple(found))
