"""What the formats share: how wide and in which colours to print, safe text, paths as the user wrote them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from shutdown_lint.findings import Edit, Finding

# SGR parameters: ECMA-48, 8.3.117
_COLORS = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "path": "1",
    "code": "1",
    "dim": "2",
    "mark": "1;31",
    "lost": "1;31",
    "trace": "1;34",
    "help": "1;32",
}
# control, format (bidi controls, zero-width characters), surrogate, line and paragraph separators
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def no_source(_path: str) -> Sequence[str] | None:
    """A reader that knows no file."""
    return None


def lines_of(text: str) -> list[str]:
    """The lines of a source text, ended as CPython's tokenizer has it: by ``\\n``, ``\\r\\n`` or ``\\r`` only."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


class View(NamedTuple):
    """How to print: colours or not, columns, the lines of files (None: not readable), edits of fixes, to whom.

    ``base`` is the folder that paths start from in formats that other machines read; ``files`` tells how many files
    were checked. ``links`` is empty where the terminal shows no hyperlinks, else the address of a place in a file, with
    ``{path}`` (percent-encoded), ``{line}`` and ``{column}``.
    """

    color: bool = False
    width: int = 120
    read: Callable[[str], Sequence[str] | None] = no_source
    edits: Mapping[Finding, tuple[Edit, ...]] = {}
    terminal: bool = False
    base: str = ""
    files: int = 0
    links: str = ""

    def paint(self, kind: str, text: str) -> str:
        """The text in the colour of its kind."""
        return f"\x1b[{_COLORS[kind]}m{text}\x1b[0m" if self.color and text else text

    def link(self, target: str, text: str) -> str:
        """The text as a hyperlink (OSC 8), where the terminal shows them; ``target`` must be a safe URL."""
        return f"\x1b]8;;{target}\x1b\\{text}\x1b]8;;\x1b\\" if self.links and text else text

    def link_file(self, path: str, line: int, column: int, text: str) -> str:
        """The text as a hyperlink to a place in a file."""
        if not self.links or path == "-":
            return text
        from urllib.parse import quote

        try:
            full = quote(os.fsencode(os.path.abspath(path)), "/:")
        except (OSError, UnicodeEncodeError):  # the current folder is gone; no such name can be
            return text
        return self.link(self.links.format(path=full, line=line, column=column), text)


def safe(text: str) -> str:
    """The text with all that could act on a terminal or hide in it shown as escapes: ``\\x1b``, ``\\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(escaped(char) if unicodedata.category(char) in _UNSAFE else char for char in text)


def escaped(char: str) -> str:
    """The character as a Python escape; a byte of a file name that is not UTF-8 (PEP 383) as ``\\xff``."""
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def whole(text: str) -> str:
    """The text without lone surrogates, which many readers refuse; a byte of a file name becomes ``\\xff``."""
    return "".join(escaped(char) if "\ud800" <= char <= "\udfff" else char for char in text)


def columns(text: str) -> int:
    """How many terminal columns a safe text takes: two for wide characters (UAX 11), none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shown_path(path: str) -> str:
    """The path relative to the current folder where it lies below it, safe to print."""
    try:
        relative = os.path.relpath(path)
    except (ValueError, OSError):  # another drive; the current folder is gone
        return safe(path)
    return safe(path if relative.startswith(os.pardir) else relative)


def below(path: str, base: str) -> str:
    """The path with ``/``, relative to the folder ``base`` (empty: the current one) where it lies below it."""
    try:
        full, top = os.path.abspath(path), os.path.abspath(base or os.curdir)
        relative = os.path.relpath(full, top)
    except (ValueError, OSError):  # another drive; the current folder is gone
        return path.replace(os.sep, "/")
    outside = relative == os.pardir or relative.startswith(os.pardir + os.sep)
    return (full if outside and path != "-" else relative).replace(os.sep, "/")


def plural(number: int, noun: str) -> str:
    """``1 finding``, ``2 findings``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
