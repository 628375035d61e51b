"""A block a finding: headline, source line with the place marked, what is lost, by which path, what to do instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from shutdown_lint.report.concise import headline, place
from shutdown_lint.report.view import View, columns, safe, shown_path

if TYPE_CHECKING:
    from shutdown_lint.facts import Span
    from shutdown_lint.findings import Finding, Fix, Step

ECHO = 120  # columns of source at most, whatever the terminal's width: a line may hold megabytes
GUTTER = 5
_BEFORE = 24  # columns of source kept before a mark that would lie outside
_TAB = "    "


def render(findings: Sequence[Finding], view: View) -> str:
    """The blocks, with an empty line after each."""
    return "".join(f"{line}\n" for finding in findings for line in (*_block(finding, view), ""))


def _block(finding: Finding, view: View) -> Iterator[str]:
    yield from _headline(finding, view)
    yield from _frame(finding, view)
    yield from _steps("lost", finding.lost, ", ", "", view)
    yield from _steps("path", finding.trace, " ", "→ ", view, "trace")
    if finding.fix:
        yield from _labelled("fix", list(_fix(finding.fix, view)), view, "help")
    if finding.help:
        yield from _labelled("help", list(_help(finding, view)), view, "help")
    else:
        yield from _labelled("docs", [view.link(finding.url, finding.code)], view, "dim")


def _help(finding: Finding, view: View) -> Iterator[str]:
    """The help in lines, and where more is to be read."""
    docs = f"[docs: {finding.code}]"
    width = view.width - GUTTER - len("help: ")
    if "\n" in finding.help:  # a traceback: its lines stay as they are
        lines = [*map(safe, finding.help.split("\n")), docs]
    else:
        lines = _flow([*safe(finding.help).split(), docs], " ", width)
    yield from lines[:-1]
    yield lines[-1].removesuffix(docs) + view.link(finding.url, view.paint("dim", docs))


def _fix(fix: Fix, view: View) -> Iterator[str]:
    """What the fix does, and by which flags it is made."""
    flags = "--fix" if fix.applicability == "safe" else "unsafe: --fix --unsafe-fixes"
    width = view.width - GUTTER - len("fix: ")
    yield from _flow([*safe(fix.message).split(), f"({flags})"], " ", width)


def _headline(finding: Finding, view: View) -> Iterator[str]:
    """One line, so that it can be searched for; on a terminal, broken between words."""
    first, *words = safe(finding.message).split(" ")
    head = f"{place(finding)} {finding.code} [{finding.severity}] {first}"
    lines = _flow([head, *words], " ", view.width, view.width - GUTTER) if view.terminal else []
    if len(lines) < 2:
        yield headline(finding, view)
        return
    yield headline(finding._replace(message=lines[0][len(head) - len(first) :]), view)
    yield from (f"{' ' * GUTTER}{line}" for line in lines[1:])


# --- lists of steps --------------------------------------------------------------------------------------------------


def _steps(
    label: str, steps: tuple[Step, ...], separator: str, joint: str, view: View, kind: str = ""
) -> Iterator[str]:
    if not steps:
        return
    width = view.width - GUTTER - len(label)
    parts = [f"{joint if number else ''}{_step(step)}" for number, step in enumerate(steps)]
    lines = [part for line in _flow(parts, separator, width) for part in _flow(line.split(" "), " ", width)]
    yield from _labelled(label, _linked(lines, steps, view), view, kind or label)


def _step(step: Step) -> str:
    return f"{safe(step.text)} ({_where(step)})"


def _where(step: Step) -> str:
    return f"{shown_path(step.path)}:{step.line}"


def _linked(lines: list[str], steps: tuple[Step, ...], view: View) -> list[str]:
    """The lines with the places of the steps as links; a place that had to be broken stays plain."""
    if not view.links:
        return lines
    for where, step in {_where(step): step for step in steps}.items():
        link = view.link_file(step.path, step.line, step.column, where)
        lines = [line.replace(f"({where})", f"({link})") for line in lines]
    return lines


def _labelled(label: str, lines: list[str], view: View, kind: str) -> Iterator[str]:
    indent = " " * (len(label) + 2)
    for number, line in enumerate(lines):
        head = f"{view.paint(kind, f'{label}:')} " if number == 0 else indent
        yield f"{' ' * (GUTTER - 2)}{head}{line}"


def _flow(parts: Sequence[str], separator: str, width: int, next_width: int = 0) -> list[str]:
    """The parts joined into lines of at most ``width`` columns (then ``next_width``), broken between parts only."""
    lines, used = [parts[0]], columns(parts[0])
    for part in parts[1:]:
        added = columns(part) + len(separator)
        if used + added <= width:
            lines[-1] += separator + part
            used += added
        else:
            lines[-1] += separator.rstrip()
            lines.append(part)
            used, width = columns(part), next_width or width
    return lines


# --- the source line -------------------------------------------------------------------------------------------------


def _frame(finding: Finding, view: View) -> Iterator[str]:
    lines, number = view.read(finding.path) or (), finding.span.line
    line = lines[number - 1] if 0 < number <= len(lines) else ""
    if not line.strip():
        return
    before, marked, after = _window(line, *_marked(finding.span, line), min(ECHO, view.width - GUTTER - 3))
    yield f"{view.paint('dim', f'{number:>{GUTTER}} |')} {before}{marked}{after}"
    mark = view.paint("mark", "^" * max(1, columns(marked)))
    yield f"{view.paint('dim', ' ' * GUTTER + ' |')} {' ' * columns(before)}{mark}"


def _marked(span: Span, line: str) -> tuple[int, int]:
    """The marked part of the line, as 0-based start and end."""
    start = min(span.col - 1, len(line))
    end = span.end_col - 1 if span.end_line == span.line else len(line.rstrip())
    return start, max(start, min(end, len(line)))


def _window(line: str, start: int, end: int, width: int) -> tuple[str, str, str]:
    """The line as printed, cut around the mark to ``width`` columns: the part before the mark, the mark, the rest."""
    before, marked, after = _shown(line[max(0, start - width) : start]), _shown(line[start:end][:width]), line[end:]
    after = _shown(after[:width])
    if columns(before) + columns(marked) + columns(after) <= width and start <= width and len(line) - end <= width:
        return before, marked, after
    if columns(before) + columns(marked) > width or start > width:
        before = _TAB if before.isspace() else "…" + _tail(before, min(_BEFORE, width // 3))
    marked = _head(marked, width - columns(before))
    return before, marked, _head(after, width - columns(before) - columns(marked))


def _shown(text: str) -> str:
    return safe(text.replace("\t", _TAB))


def _head(text: str, width: int) -> str:
    """The text's begin in at most ``width`` columns, with an ellipsis where it is cut."""
    if columns(text) <= width:
        return text
    while text and columns(text) > max(0, width - 1):
        text = text[:-1]
    return text + "…" if width > 0 else ""


def _tail(text: str, width: int) -> str:
    while columns(text) > width:
        text = text[1:]
    return text
