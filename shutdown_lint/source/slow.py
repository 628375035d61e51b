"""``.gitignore`` files that are made to take for ever: patterns on which a backtracking regex engine would not end.

A few wildcards in one name (``*a*a*a*b``) need time with as high a power of the length of a name. Such files are not
matched by pathspec's regexes, but name by name, with patterns of ``fnmatch``, which never go back over what they matched.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

_MOST = 2  # runs of * in one name, and ** in one pattern, that any regex engine takes in its stride
_STARS = re.compile(r"\*+")
_ESCAPED = re.compile(r"\\(.)")


class _Pattern(NamedTuple):
    """A line: what it says of a path that matches, whether only of folders, and its names (None for ``**``)."""

    include: bool
    of_folders: bool
    names: tuple[re.Pattern[str] | None, ...]

    def matches(self, parts: list[str]) -> bool:
        """Whether the names stand for exactly these parts of a path; each part is looked at once for each name."""
        places = {0}
        for number, name in enumerate(self.names):
            if name is None:
                last = number == len(self.names) - 1  # "x/**" is what lies below, not x itself
                places = set(range(min(places, default=len(parts)) + last, len(parts) + 1))
            else:
                places = {place + 1 for place in places if place < len(parts) and name.match(parts[place])}
        return len(parts) in places


def is_slow(line: str) -> bool:
    """Whether a line of a ``.gitignore`` is not one for a regex."""
    return line.count("*") > _MOST and (
        line.count("**") > _MOST or any(len(_STARS.findall(name)) > _MOST for name in line.split("/"))
    )


def reader(lines: Iterable[str]) -> Callable[[str], bool | None]:
    """What the lines say of a path (a folder's with a final ``/``), or of a folder above it: the last line counts."""
    patterns = list(_patterns(lines))

    def include(path: str) -> bool | None:
        said = None
        parts = path.rstrip("/").split("/")
        for count in range(1, len(parts) + 1):
            is_folder = count < len(parts) or path.endswith("/")
            found = _said(patterns, parts[:count], is_folder)
            if found and count < len(parts):
                return True  # nothing below a folder that is left out can be taken
            said = said if found is None else found
        return said

    return include


def _said(patterns: list[_Pattern], parts: list[str], is_folder: bool) -> bool | None:
    for pattern in reversed(patterns):
        if (is_folder or not pattern.of_folders) and pattern.matches(parts):
            return pattern.include
    return None


def _patterns(lines: Iterable[str]) -> Iterator[_Pattern]:
    for line in lines:
        text = re.sub(r"(?<!\\) +$", "", line.rstrip("\r"))
        if not text or text.startswith("#"):
            continue
        include = not text.startswith("!")
        body = text.removeprefix("!")
        anchored = "/" in body.rstrip("/")
        names = [name for name in body.split("/") if name]
        if not names:
            continue
        whole = [] if anchored else ["**"]
        yield _Pattern(include, body.endswith("/"), tuple(map(_name, [*whole, *names])))


def _name(text: str) -> re.Pattern[str] | None:
    """One name of a pattern. ``\\*`` is a star that is meant; runs of stars in a name are one."""
    if text == "**":
        return None
    plain = _ESCAPED.sub(_meant, _STARS.sub("*", text)).replace("[^", "[!")
    return re.compile(fnmatch.translate(plain))


def _meant(match: re.Match[str]) -> str:
    return f"[{match[1]}]" if match[1] in "*?[" else match[1]
