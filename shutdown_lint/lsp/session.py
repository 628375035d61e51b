"""A project in memory: its files as editors and the disk have them, checked again after each change.

Only what has changed is read and lowered, and what is derived from one file alone is derived again only then; the rules
run on the facts of the open files, knowing the whole project.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from shutdown_lint.adoption import narrow
from shutdown_lint.analysis import Context, Taken, analyse, take, trouble_findings
from shutdown_lint.cache import Known
from shutdown_lint.collector import collector_paused
from shutdown_lint.common import Common
from shutdown_lint.corpus import Contents
from shutdown_lint.engine import Report, without_ignored
from shutdown_lint.findings import Finding
from shutdown_lint.lsp.memory import Memory
from shutdown_lint.parts import parts_of
from shutdown_lint.report.view import lines_of
from shutdown_lint.rules import registry
from shutdown_lint.settings import Settings
from shutdown_lint.source import SourceFile, Trouble, TroubleError, decode, discover, name_files, read_bytes
from shutdown_lint.triggers import imported_packages


class Session:
    """The memory of one project. Not to be used by two threads at once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._enabled = registry.resolve(settings.select, settings.extend_select, settings.ignore)
        self._found: tuple[str, ...] | None = None
        self._disk: dict[str, tuple[tuple[int, int], bytes]] = {}
        self._taken: dict[str, tuple[bytes, SourceFile, Taken]] = {}
        self._imports: dict[str, tuple[bytes, Known]] = {}
        self._names: frozenset[str] = frozenset()
        self._memory = Memory()

    def files_changed(self) -> None:
        """Files have come or gone: look for them again at the next check."""
        self._found = None

    def check(self, buffers: Mapping[str, str]) -> dict[str, tuple[Finding, ...]]:
        """The findings in the open files, which hold these texts, by absolute path. Raises ``AdoptionError``.

        The project that each check builds is left behind in cycles, for ``gc.collect`` to be called when there is time.
        """
        with collector_paused():  # it would go through all that is remembered, more than once
            return self._check(buffers)

    def _check(self, buffers: Mapping[str, str]) -> dict[str, tuple[Finding, ...]]:
        files = self._files(buffers)
        contents, troubles = Contents(), []
        for file in files:
            try:
                contents.put(file.absolute, self._bytes(file.absolute, buffers))
            except TroubleError as error:
                if file.reported:
                    troubles.append((file.path, error.trouble))
        findings = self._analysed(files, contents, troubles)
        kept = without_ignored(findings, self.settings)
        report = Report(tuple(sorted(set(kept), key=Finding.sort_key)), len(buffers))
        report = narrow(report, self.settings, lambda path: _lines(contents, path))
        out: dict[str, list[Finding]] = {path: [] for path in buffers}
        for finding in report.findings:
            out.setdefault(os.path.abspath(finding.path), []).append(finding)
        return {path: tuple(found) for path, found in out.items()}

    def _files(self, buffers: Mapping[str, str]) -> list[SourceFile]:
        if self._found is None:
            whole = self.settings.knowledge == "project"
            self._found = tuple(discover([self.settings.root], self.settings).files) if whole else ()
        paths = {**dict.fromkeys(self._found, False), **dict.fromkeys(buffers, True)}
        files = list(name_files(paths.items(), self.settings))
        names = frozenset(file.name for file in files)
        if names != self._names:  # what may be imported from where has changed, and with it what is worth lowering
            self._names = names
            self._taken.clear()
        return files

    def _bytes(self, path: str, buffers: Mapping[str, str]) -> bytes:
        if path in buffers:
            return buffers[path].encode("utf-8", "surrogatepass")
        try:
            status = os.stat(path)
        except OSError:
            return read_bytes(path)  # tells what is wrong in its own words
        mark = (status.st_mtime_ns, status.st_size)
        held = self._disk.get(path)
        if held is None or held[0] != mark:
            held = self._disk[path] = (mark, read_bytes(path))
        return held[1]

    def _analysed(
        self, files: Sequence[SourceFile], contents: Contents, troubles: Sequence[tuple[str, Trouble]]
    ) -> list[Finding]:
        context = Common(files, contents, self.settings, self._enabled).context
        context = context._replace(lower=self._memory.take_in, entry_of=self._memory.entry)
        known = {file.absolute: self._known(file.absolute, contents) for file in files}
        parts = parts_of(files, known)
        linked = [file for part in parts for file in part.files]
        taken = {file.absolute: self._take(file, contents.get(file.absolute), context) for file in linked}
        results = [analyse(part, context, taken) for part in parts]
        return [f for result in results for f in result.findings] + trouble_findings(troubles, self._enabled)

    def _known(self, path: str, contents: Contents) -> Known:
        """The file's size and the packages that it imports; the rest is of no use here."""
        data = contents.get(path)
        held = self._imports.get(path)
        if held is None or held[0] is not data:
            held = self._imports[path] = (data, Known(-1, len(data), "", tuple(imported_packages(data))))
        return held[1]

    def _take(self, file: SourceFile, data: bytes, context: Context) -> Taken:
        held = self._taken.get(file.absolute)
        if held is None or held[0] != data or held[1] != file:
            held = self._taken[file.absolute] = (data, file, take(file, data, context.programs[file.root].prefilter))
        return held[2]


def _lines(contents: Contents, path: str) -> Sequence[str] | None:
    try:
        return lines_of(decode(contents.get(os.path.abspath(path))))
    except TroubleError:
        return None
