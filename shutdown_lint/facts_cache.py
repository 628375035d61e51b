"""The cache of lowered files: one small file for each content, so that a change costs what it touches.

A file's name is the digest of the content that it is about. Its first line is a digest of the rest and of the version
that wrote it: a file that is damaged, cut short, foreign or of another version is as good as none. So files are written in
their place, and a process that is killed meanwhile leaves no temporary file; of several processes one writes, and all
would say the same.

Most contents are none of the rules' business. Of those all that is known is that: a line each in one more file, which is only ever
added to, and in which a line that is damaged or of another version is as good as none.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator

from shutdown_lint.lazily import lazily
from shutdown_lint.lowered import SOUND, Record
from shutdown_lint.source import TroubleError, digest, read_bytes

# Of other branches some are kept: so many times as many as the project has files, and so many in any case.
_TIMES, _AT_LEAST = 3, 2000
# What lowering makes of a small file is made again as fast as a file is written and read.
_WORTH = 3000  # characters
_NAME = re.compile(r"[0-9a-f]{32}m?")
_IDLE = os.path.join("00", "idle")  # where `clean` looks for what it removes
_IDLE_OUTCOMES = (SOUND, "")  # nobody may have asked whether the syntax is sound
_MAX_IDLE_BYTES = 8 * 1024 * 1024  # some hundred thousand lines


class FolderStore:
    """A ``lowered.Store`` in the folder ``path`` of its own, which need not be there yet; ``version`` is who writes."""

    def __init__(self, path: str, version: str) -> None:
        self.path, self.version = path, version

    @property
    def final(self) -> bool:
        """What is damaged is made again."""
        return False

    def get(self, key: str) -> Record | None:
        """The record, if it is whole."""
        idle = self._idle.get(key)
        if idle is not None:
            return idle
        head, _, outcome = self.read(key).partition("\n")
        try:
            settings, codes = json.loads(head)
            return Record(settings, None if codes is None else tuple(codes), outcome)
        except (ValueError, TypeError):
            return None

    def has(self, key: str) -> bool:
        """Whether there is a record, whole or not."""
        return key in self._idle or os.path.exists(self._place(key))

    def put(self, key: str, record: Record) -> None:
        """Write the record, if it saves time to read it."""
        if record.codes is None and record.outcome in _IDLE_OUTCOMES:
            self._add_idle(key, record)
        elif len(record.outcome) >= _WORTH:
            head = json.dumps([record.settings, record.codes], separators=(",", ":"))
            self.write(key, f"{head}\n{record.outcome}")

    @lazily
    def _idle(self) -> dict[str, Record]:
        """What is known of contents in which no rule has anything to say."""
        try:
            lines = read_bytes(os.path.join(self.path, _IDLE)).decode("ascii").split("\n")
        except (TroubleError, ValueError):
            return {}
        rows = [line.rpartition(" ") for line in lines]
        said = [row.split(" ") for row, _, mark in rows if mark == self._mark(row.encode("ascii"))]
        return {some[0]: Record(some[1], None, some[2]) for some in said if len(some) == 3}

    def _add_idle(self, key: str, record: Record) -> None:
        place, row = os.path.join(self.path, _IDLE), f"{key} {record.settings} {record.outcome}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(os.open(place, flags, 0o666), "ab", buffering=0) as stream:
                if stream.tell() > _MAX_IDLE_BYTES:  # by now most of it is of other versions
                    stream.truncate(0)
                # one write, so that lines of several processes do not get into each other
                stream.write(f"{row} {self._mark(row.encode('ascii'))}\n".encode("ascii"))
        except (OSError, ValueError):
            pass

    def read(self, key: str) -> str:
        """The text that was written; empty where there is none, or none that is whole."""
        try:
            mark, _, rest = read_bytes(self._place(key)).partition(b"\n")
            return rest.decode("ascii") if mark.decode("ascii") == self._mark(rest) else ""
        except (TroubleError, ValueError):
            return ""

    def write(self, key: str, text: str) -> None:
        """Keep a text in ASCII; without room for it the next run is slower."""
        place, mark = self._place(key), self._mark(text.encode("ascii"))
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            _write_anew(place, f"{mark}\n{text}".encode("ascii"))
        except (OSError, ValueError):
            pass

    def _place(self, key: str) -> str:
        return os.path.join(self.path, key[:2], key)

    def _mark(self, rest: bytes) -> str:
        return digest(self.version.encode("ascii") + rest)

    def prune(self, in_use: Iterable[str]) -> None:
        """Remove the oldest records that are not ``in_use`` (digests of contents), if there are far too many. Never raises."""
        used = set(in_use)
        most = max(_AT_LEAST, _TIMES * len(used))
        try:
            folders = os.listdir(self.path)
            # digests are spread evenly: one folder tells about all
            if not folders or len(os.listdir(os.path.join(self.path, folders[0]))) * len(folders) < most:
                return
            found = sorted(entry for entry in self._entries() if entry[1][:32] not in used)
            for _, name in found[: max(0, len(found) + len(used) - most)]:
                os.unlink(self._place(name))
        except OSError:
            pass

    def _entries(self) -> Iterator[tuple[float, str]]:
        for folder in os.listdir(self.path):
            with os.scandir(os.path.join(self.path, folder)) as entries:
                yield from ((entry.stat().st_mtime, entry.name) for entry in entries if _NAME.fullmatch(entry.name))


def _write_anew(place: str, data: bytes) -> None:
    """Write a file that is not there yet, or that is damaged; never through a link."""
    if os.path.lexists(place):
        os.unlink(place)
    with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as stream:
        stream.write(data)
