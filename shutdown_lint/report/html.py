"""One self-contained page: findings by severity, to filter and search, each with its path drawn.

It works from a file, without a network. Its own script and style are allowed by their hashes, nothing else is (CSP), so
that no text of the analysed program can act even if it were not escaped.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from shutdown_lint import __version__
from shutdown_lint.report.fingerprints import fingerprints
from shutdown_lint.report.view import View, below, plural, safe

if TYPE_CHECKING:
    from shutdown_lint.facts import Span
    from shutdown_lint.findings import Finding, Severity, Step

_SEVERITIES: dict[Severity, str] = {"error": "Errors", "warning": "Warnings", "info": "Notes"}
_OPEN = 25  # findings up to which all of them are shown open
_AROUND = 2  # lines of source before and after
_ECHO = 300  # characters of a source line at most


def render(findings: Sequence[Finding], view: View) -> str:
    """The page."""
    style, script = _part("page.css"), _part("page.js")
    allowed = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    told = f"{plural(len(findings), 'finding')} in {plural(len({f.path for f in findings}), 'file')}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>shutdown-lint: {told}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"{_header(findings, view, told)}<main>\n{''.join(_sections(findings, view))}"
        f'<p class="nothing" id="none" hidden>Nothing matches the filter.</p>\n'
        f"<footer>shutdown-lint {__version__}</footer>\n</main>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _part(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as stream:
        return stream.read()


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


# --- the head of the page --------------------------------------------------------------------------------------------


def _header(findings: Sequence[Finding], view: View, told: str) -> str:
    counts = Counter(finding.severity for finding in findings)
    toggles = "".join(
        f'<button type="button" class="{name}" data-severity="{name}" aria-pressed="true">'
        f"{counts[name]} {(title if counts[name] != 1 else title[:-1]).lower()}</button>\n"
        for name, title in _SEVERITIES.items()
        if counts[name]
    )
    rules = sorted({(finding.code, finding.name) for finding in findings})
    options = "".join(f'<option value="{escape(code)}">{escape(f"{code} {name}")}</option>' for code, name in rules)
    about = f"{told}, {plural(view.files, 'file')} checked" if view.files else told
    return (
        f'<header><div>\n<h1>shutdown-lint</h1><span class="about">{about} <b id="shown" role="status"></b></span>\n'
        f'<div class="tools">\n{toggles}'
        f'<select id="rule" aria-label="rule"><option value="">All rules</option>{options}</select>\n'
        '<input id="search" type="search" placeholder="Search message, file, path …" aria-label="search">\n'
        '<button type="button" id="open">Open all</button>\n</div>\n</div></header>\n'
    )


# --- findings --------------------------------------------------------------------------------------------------------


def _sections(findings: Sequence[Finding], view: View) -> Iterator[str]:
    if not findings:
        yield '<p class="nothing">No findings.</p>\n'
    anchors = fingerprints(findings, view.read, view.base)
    for name, title in _SEVERITIES.items():
        found = [finding for finding in findings if finding.severity == name]
        if found:
            yield f"<section>\n<h2>{title} <span>{len(found)}</span></h2>\n"
            yield from (_card(finding, anchors[finding], view, len(findings) <= _OPEN) for finding in found)
            yield "</section>\n"


def _card(finding: Finding, anchor: str, view: View, shown: bool) -> str:
    place = _text(f"{below(finding.path, view.base)}:{finding.span.line}:{finding.span.col}")
    fix = f' <span class="fixable">{finding.fix.applicability} fix</span>' if finding.fix else ""
    title = f'<a href="{escape(finding.url)}">{finding.code}</a> {escape(finding.name)}'
    columns = "".join(filter(None, (_path(finding, view), _lost(finding, view))))
    parts = (_frame(finding, view), f'<div class="columns">{columns}</div>\n' if columns else "", _help(finding))
    return (
        f'<details id="f{anchor}" class="{finding.severity}" data-severity="{finding.severity}" '
        f'data-rule="{escape(finding.code)}"{" open" if shown else ""}>\n'
        f'<summary><span class="badge">{finding.severity}</span> {title}{fix} <span class="place">{place}</span>'
        f'<span class="message">{_prose(finding.message)}</span></summary>\n<div class="body">\n{"".join(parts)}</div>\n</details>\n'
    )


def _path(finding: Finding, view: View) -> str:
    if not finding.trace:
        return ""
    place = (finding.path, finding.span.line)
    steps = finding.trace
    if place not in [(step.path, step.line) for step in steps]:
        steps = (*steps, steps[-1]._replace(path=finding.path, line=finding.span.line, text="the finding"))
    here = ' class="here"'
    items = "".join(_step(step, view, here if (step.path, step.line) == place else "") for step in steps)
    return f"<div><h3>Path</h3><ol>{items}</ol></div>"


def _lost(finding: Finding, view: View) -> str:
    steps = "".join(_step(step, view) for step in finding.lost)
    return f"<div><h3>Lost</h3><ul>{steps}</ul></div>" if steps else ""


def _step(step: Step, view: View, kind: str = "") -> str:
    place = _text(f"{below(step.path, view.base)}:{step.line}")
    return f'<li{kind}>{_prose(step.text)} <span class="place">{place}</span></li>'


def _help(finding: Finding) -> str:
    if not finding.help:
        return ""
    text = "\n".join(_prose(line) for line in finding.help.split("\n"))
    return f'<p class="help"><b>Help</b> {text}</p>\n'


# --- source ----------------------------------------------------------------------------------------------------------


def _frame(finding: Finding, view: View) -> str:
    lines, span = view.read(finding.path) or (), finding.span
    if not 0 < span.line <= len(lines) or not lines[span.line - 1].strip():
        return ""
    numbers = [*range(max(1, span.line - _AROUND), min(len(lines), span.line + _AROUND) + 1)]
    while not lines[numbers[0] - 1].strip():
        del numbers[0]
    while not lines[numbers[-1] - 1].strip():
        del numbers[-1]
    rows = "".join(
        f"<span><i>{number}</i>{_marked(lines[number - 1], span) if number == span.line else _cut(lines[number - 1])}</span>"
        for number in numbers
    )
    return f"<pre>{rows}</pre>\n"


def _marked(line: str, span: Span) -> str:
    end = span.end_col - 1 if span.end_line == span.line else len(line)
    start = min(span.col - 1, len(line))
    end = min(max(end, start + 1), len(line), start + _ECHO)
    before = line[max(0, start - _ECHO) : start]
    head = _text(before) if len(before) == start else f"…{_text(before[-40:])}"
    return f"{head}<mark>{_text(line[start:end])}</mark>{_cut(line[end:])}"


def _cut(line: str) -> str:
    return _text(line if len(line) <= _ECHO else line[:_ECHO] + "…")


# --- text ------------------------------------------------------------------------------------------------------------


def _text(text: str) -> str:
    return escape(safe(text.replace("\t", "    ")))


def _prose(text: str) -> str:
    """The text with its `code` as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", _text(text))
