"""What a terminal can show: colours, columns, hyperlinks, and how far a long run is."""

from __future__ import annotations

import os
import sys
from time import monotonic

PATIENCE = 1.0  # seconds without a word; most runs are over by then
_PAUSE = 0.1  # seconds between two looks of the bar
_BAR = 24  # columns
# TERM_PROGRAM of terminals that show OSC 8 (gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda and their docs)
_LINKING = frozenset({"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "zed"})
_LINKING_TERMS = ("xterm-kitty", "alacritty", "foot", "xterm-ghostty", "contour", "wezterm")


def wants_color(when: str, terminal: bool) -> bool:
    """Whether to use colours: as ``--color`` says, else as the environment says, else on a terminal that can."""
    if when != "auto":
        return when == "always"
    if os.environ.get("NO_COLOR"):  # no-color.org
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")


def width(terminal: bool) -> int:
    """Columns to print in: those of ``COLUMNS`` (POSIX) or of the terminal, else the same for everybody."""
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isascii() and wanted.isdecimal():
        return min(max(60, int(wanted)), 1000)
    try:
        return max(60, os.get_terminal_size(sys.stdout.fileno()).columns) if terminal else 120
    except (OSError, ValueError):
        return 120


# --- hyperlinks ------------------------------------------------------------------------------------------------------


def links(terminal: bool) -> str:
    """The address of a place in a file where hyperlinks are shown (see ``View.links``), else empty."""
    forced = os.environ.get("FORCE_HYPERLINK", "")
    if forced == "0" or not (forced or (terminal and _shows_links())):
        return ""
    if os.environ.get("TERM_PROGRAM") == "vscode":
        return "vscode://file{path}:{line}:{column}"
    return f"file://{_host()}{{path}}"


def _shows_links() -> bool:
    """Whether the terminal is known to show hyperlinks. Those that do not may print what they cannot read."""
    env = os.environ
    term = env.get("TERM", "")
    if term == "dumb" or term.startswith(("screen", "tmux")):  # what is around a multiplexer cannot be known
        return False
    known = env.get("TERM_PROGRAM") in _LINKING or term.startswith(_LINKING_TERMS)
    version = env.get("VTE_VERSION", "")
    vte = version.isdecimal() and int(version) >= 5000
    return known or vte or any(env.get(name) for name in ("WT_SESSION", "KITTY_WINDOW_ID", "DOMTERM"))


def _host() -> str:
    """The machine's name, so that a terminal does not look for the files of another one on its own disk."""
    from urllib.parse import quote

    return quote(os.uname().nodename) if hasattr(os, "uname") else ""


# --- progress --------------------------------------------------------------------------------------------------------


class Progress:
    """A bar on stderr, when stderr is a terminal and the run takes long; gone when the block is left."""

    def __init__(self, quiet: bool = False) -> None:
        self._shown = False
        self._next = float("inf") if quiet or not _is_terminal() else monotonic() + PATIENCE

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._shown:
            _write("\r\x1b[K")

    def tell(self, phase: str, done: int, total: int, unit: str) -> None:
        """Show how far the phase is, not too often."""
        now = monotonic()
        if now >= self._next:
            self._next, self._shown = now + _PAUSE, True
            full = _BAR * done // max(1, total)
            _write(f"\r\x1b[K{phase} {'━' * full}{'╌' * (_BAR - full)} {done}/{total} {unit}")


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _write(text: str) -> None:
    from shutdown_lint.cli.output import to_stderr

    try:
        to_stderr(text)
    except UnicodeEncodeError:  # a terminal in ASCII
        to_stderr(text.encode("ascii", "replace").decode())
