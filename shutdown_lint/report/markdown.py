"""GitHub-flavoured Markdown, for comments on pull requests and job summaries. Source text cannot become markup."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from shutdown_lint.report.view import View, below, plural, safe

if TYPE_CHECKING:
    from shutdown_lint.findings import Finding, Severity, Step

_MARKUP = re.compile(r"[\\`*_{}\[\]<>#!|~&]|:(?=\S)|(?<=www)\.")  # with emoji and what would become a link
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
_ECHO = 160  # characters of a source line at most


def render(findings: Sequence[Finding], view: View) -> str:
    """A heading with counts, then a section a file and an item a finding."""
    lines = [f"## shutdown-lint: {_counts(findings)}", ""]
    for path, found in groupby(findings, key=lambda finding: finding.path):
        lines += [f"### {code(below(path, view.base))}", ""]
        lines += [line for finding in found for line in (*_item(finding, view), "")]
    return "\n".join(lines)


def _counts(findings: Sequence[Finding]) -> str:
    if not findings:
        return "no findings"
    counts = Counter(finding.severity for finding in findings)
    parts = (plural(counts[name], name).replace("infos", "info") for name in _SEVERITIES if counts[name])
    return f"{plural(len(findings), 'finding')} ({', '.join(parts)})"


def _item(finding: Finding, view: View) -> Iterator[str]:
    span = finding.span
    place = f"line {span.line}, column {span.col}"
    yield f"- **{finding.severity}** [{finding.code} {finding.name}]({finding.url}), {place}: {prose(finding.message)}"
    lines = view.read(finding.path) or ()
    line = lines[span.line - 1].strip() if 0 < span.line <= len(lines) else ""
    if line:
        line = safe(line if len(line) <= _ECHO else line[:_ECHO] + "…")
        fence = "`" * max(3, 1 + _longest_run(line))
        yield from ("", f"  {fence}python", f"  {line}", f"  {fence}", "")
    if finding.lost:
        yield f"  - lost: {', '.join(_step(step, view) for step in finding.lost)}"
    if finding.trace:
        yield f"  - path: {' → '.join(_step(step, view) for step in finding.trace)}"
    if finding.help:
        yield f"  - help: {' '.join(prose(line) for line in finding.help.split(chr(10)))}"


def _step(step: Step, view: View) -> str:
    return f"{prose(step.text)} ({code(f'{below(step.path, view.base)}:{step.line}')})"


def prose(text: str) -> str:
    """The text with its `code` kept as code and everything else taken literally."""
    parts = safe(text).split("`")
    if len(parts) % 2 == 0:  # a backtick of the source text itself
        return _literal("`".join(parts))
    return "".join(code(part) if number % 2 else _literal(part) for number, part in enumerate(parts))


def code(text: str) -> str:
    """A code span that ends where the text does."""
    text = safe(text)
    if not text.strip():
        return _literal(text)
    fence = "`" * (1 + _longest_run(text))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _literal(text: str) -> str:
    # the comment keeps `@name` from calling somebody
    return _MARKUP.sub(r"\\\g<0>", text).replace("@", "@<!-- -->")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
