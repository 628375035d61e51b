"""Which lines of which files have changed since a revision, told by git.

git runs without the external diffs, text conversions and file system monitor that a repository's configuration may set up.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

from shutdown_lint.adoption.errors import AdoptionError

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding

LIMIT = 120  # seconds for one command of git
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
_HUNK = re.compile(rb"@@ -\S+ \+(\d+)(?:,(\d+))? @@")


class Changes:
    """The lines changed since ``revision``, in commits and in the work tree, and all lines of files unknown to git.

    A plain revision stands for the point where the current branch left it, ``A..B`` and ``A...B`` for themselves.
    """

    def __init__(self, folder: str, revision: str) -> None:
        if revision.startswith("-"):
            raise AdoptionError(f"--diff-only: `{revision}` is no revision")
        self._folder = os.path.abspath(folder)
        self._top = os.fsdecode(self._git("rev-parse", "--show-toplevel").rstrip(b"\r\n"))
        start = revision if ".." in revision else self._fork(revision)
        self._lines = self._changed(start)
        listed = self._git("ls-files", "--others", "--exclude-standard", "-z", "--full-name", "--", self._top)
        self._new = {os.path.join(self._top, os.fsdecode(name)) for name in listed.split(b"\0") if name}

    def touch(self, finding: Finding) -> bool:
        """Whether a line of the finding, of its path or of what is lost has changed."""
        span = finding.span
        if any(self._has(finding.path, line) for line in range(span.line, span.end_line + 1)):
            return True
        return any(self._has(step.path, step.line) for step in (*finding.trace, *finding.lost))

    def _has(self, path: str, line: int) -> bool:
        full = os.path.realpath(path)
        return full in self._new or line in self._lines.get(full, ())

    def _fork(self, revision: str) -> str:
        commit = self._git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").strip()
        try:
            return self._git("merge-base", os.fsdecode(commit), "HEAD").decode().strip()
        except AdoptionError as error:
            hint = "a shallow clone lacks the commits between; fetch them (`fetch-depth: 0` in GitHub's checkout)"
            raise AdoptionError(f"--diff-only: `{revision}` and HEAD have no common commit here: {hint}") from error

    def _changed(self, start: str) -> dict[str, set[int]]:
        """Changed lines by path, from the hunks of a diff without context."""
        flags = ("--no-ext-diff", "--no-textconv", "--no-color", "--unified=0", "--no-relative", "--ignore-submodules")
        names = ("--find-renames", "--diff-filter=d", "--src-prefix=a/", "--dst-prefix=b/")
        text = self._git("diff", *flags, *names, start, "--", self._top)
        lines: dict[str, set[int]] = {}
        here: set[int] = set()
        left = 0  # lines of a hunk may look like anything
        for row in text.split(b"\n"):
            if left:
                left -= row.startswith(b"+")
            elif row.startswith(b"+++ "):
                here = lines.setdefault(os.path.join(self._top, _name(row[4:])), set())
            elif hunk := _HUNK.match(row):
                first, left = int(hunk[1]), int(hunk[2] or 1)
                here.update(range(first, first + left))
        return lines

    def _git(self, *arguments: str) -> bytes:
        command = ["git", *_SAFE, "-C", self._folder, *arguments]
        env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_PAGER": "cat"}
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=LIMIT, check=False, env=env, stdin=subprocess.DEVNULL
            )
        except FileNotFoundError as error:
            raise AdoptionError("--diff-only: git is not installed") from error
        except subprocess.TimeoutExpired as error:
            raise AdoptionError(f"--diff-only: git {arguments[0]} took longer than {LIMIT} s") from error
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().split("\n")[0]
            raise AdoptionError(f"--diff-only: git {arguments[0]}: {words or f'exit code {done.returncode}'}")
        return done.stdout


def _name(raw: bytes) -> str:
    """The path behind ``+++``: with its prefix, quoted where it holds odd characters, ended by a tab where it has spaces."""
    raw = raw.rstrip(b"\t\r")
    if raw.startswith(b'"'):
        raw = re.sub(rb"\\([0-7]{3}|.)", _unescaped, raw[1:-1])
    return os.fsdecode(raw.removeprefix(b"b/"))


def _unescaped(match: re.Match[bytes]) -> bytes:
    word = match[1]
    if len(word) == 3:
        return bytes([int(word, 8)])
    return {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}.get(word, word)
