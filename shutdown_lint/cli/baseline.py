"""``shutdown-lint baseline create``, ``update`` and ``show``."""

from __future__ import annotations

import os
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from shutdown_lint import config
from shutdown_lint.cli import FAILED
from shutdown_lint.cli.output import complain, to_file, to_stdout
from shutdown_lint.cli.parser import UsageError, parse_check
from shutdown_lint.report.view import plural, safe, shown_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shutdown_lint.adoption.baseline import Entry
    from shutdown_lint.cli.check import Setup
    from shutdown_lint.engine import Report

USAGE = """\
usage: shutdown-lint baseline create [OPTIONS] [PATH ...]
       shutdown-lint baseline update [--prune] [OPTIONS] [PATH ...]
       shutdown-lint baseline show [OPTIONS]

A baseline is a file of findings that are known: with --baseline FILE, or `baseline` in the configuration, a check
reports only what is not in it. Entries are recognised by rule, file, enclosing definition and statement, so that moved
lines do not matter.

  create   write all findings of the paths to a new file
  update   write them anew: what is gone goes, what is new is added; with --prune, only what is gone goes
  show     list what the file holds

The file is that of --baseline or of the configuration, else shutdown-lint-baseline.json in the project root. The options
are those of `shutdown-lint check`.
"""


def run(given: list[str]) -> int:
    """See ``USAGE``."""
    from shutdown_lint.adoption import AdoptionError
    from shutdown_lint.cli.check import set_up

    words = given[1:]
    if not words or words[0] in ("-h", "--help"):
        to_stdout(USAGE)
        return 0 if words else FAILED
    action, rest = words[0], words[1:]
    try:
        prune = action == "update" and "--prune" in rest
        arguments = parse_check(["check", *(word for word in rest if not (prune and word == "--prune"))])
        if arguments.help:
            to_stdout(USAGE)
            return 0
        if arguments.paths == ["-"] or any((arguments.fix, arguments.diff, arguments.add_noqa, arguments.diff_only)):
            raise UsageError("a baseline is made of files as they are (see `shutdown-lint baseline --help`)")
        setup = set_up(arguments)
        if action == "create":
            return create(setup)
        if action == "update":
            return update(setup, prune)
        if action == "show":
            return show(setup)
        raise UsageError(f"no command `baseline {action}` (see `shutdown-lint baseline --help`)")
    except (UsageError, config.ConfigError, AdoptionError) as error:
        complain(str(error))
        return FAILED


def _file(setup: Setup) -> str:
    from shutdown_lint.adoption.baseline import NAME

    return setup.settings.baseline or os.path.join(setup.settings.root, NAME)


# --- writing ---------------------------------------------------------------------------------------------------------


def create(setup: Setup) -> int:
    """Write all findings to a file that is not there yet."""
    path = _file(setup)
    if os.path.lexists(path):
        raise UsageError(f"{shown_path(path)} is there already: `shutdown-lint baseline update` brings it up to date")
    report, entries = _found(setup, ())
    _save(entries, path)
    to_stdout(f"{plural(_total(entries), 'finding')} written to {shown_path(path)}\n")
    return _told(report)


def update(setup: Setup, prune: bool) -> int:
    """Write the file anew; what it knows of files that this run did not look at stays."""
    from shutdown_lint.adoption.baseline import load, pruned
    from shutdown_lint.inputs import files_of
    from shutdown_lint.report.view import below

    path = _file(setup)
    before = load(path)
    report, now = _found(setup, before.entries)
    checked = {below(name, before.folder) for name in files_of(setup.arguments.paths, setup.settings)}
    others = tuple(entry for entry in before.entries if entry.path not in checked and before.has_file(entry))
    looked_at = tuple(entry for entry in before.entries if entry not in others)
    entries = (*others, *(pruned(looked_at, now) if prune else now))
    _save(entries, path)
    old, new = _counts(before.entries), _counts(entries)
    added, gone = (new - old).total(), (old - new).total()
    to_stdout(f"{plural(_total(entries), 'finding')} in {shown_path(path)}: {added} added, {gone} removed\n")
    return _told(report)


def _found(setup: Setup, before: Sequence[Entry]) -> tuple[Report, tuple[Entry, ...]]:
    from datetime import datetime, timezone

    from shutdown_lint.adoption.baseline import made_of
    from shutdown_lint.cli.check import run_engine
    from shutdown_lint.cli.texts import line_reader, text_reader

    report = run_engine(setup, None)
    today = datetime.now(timezone.utc).date().isoformat()
    folder = os.path.dirname(os.path.abspath(_file(setup)))
    return report, made_of(report.findings, line_reader(text_reader(None)), folder, today, before)


def _save(entries: Sequence[Entry], path: str) -> None:
    from shutdown_lint.adoption.baseline import render

    to_file(render(sorted(entries)), path)


def _counts(entries: Sequence[Entry]) -> Counter[str]:
    return Counter({entry.fingerprint: entry.times for entry in entries})


def _total(entries: Sequence[Entry]) -> int:
    return sum(entry.times for entry in entries)


def _told(report: Report) -> int:
    for warning in report.warnings:
        complain(warning)
    if report.exit_code() == FAILED:
        complain("some input could not be analysed; `shutdown-lint check` tells which")
        return FAILED
    return 0


# --- showing ---------------------------------------------------------------------------------------------------------


def show(setup: Setup) -> int:
    """List the entries below their files."""
    from shutdown_lint.adoption.baseline import load

    path = _file(setup)
    entries = load(path).entries
    for file, found in groupby(entries, key=lambda entry: entry.path):
        rows = "".join(f"  {_row(entry)}\n" for entry in found)
        to_stdout(f"{safe(file)}:\n{rows}\n")
    oldest = f", the oldest of {min(entry.added for entry in entries)}" if entries else ""
    files = plural(len({entry.path for entry in entries}), "file")
    to_stdout(f"{plural(_total(entries), 'finding')} in {files} known to {shown_path(path)}{safe(oldest)}\n")
    return 0


def _row(entry: Entry) -> str:
    times = f" ({entry.times} times)" if entry.times > 1 else ""
    scope = f" in {entry.scope}" if entry.scope else ""
    return safe(f"{entry.added}  {entry.code}{scope}: {entry.message}{times}")
