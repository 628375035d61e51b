"""From findings to edits: each finding's fixer is asked on the text as it is now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from shutdown_lint.findings import Edit, Finding, by_path
from shutdown_lint.fixes.edits import Planned
from shutdown_lint.fixes.languages import KINDS, Language, language_of
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.text import Text

if TYPE_CHECKING:
    from shutdown_lint.facts import Span

    # the first is what the language of the file parses texts to
    Fixer: TypeAlias = Callable[[Any, Span, Mapping[str, str]], list[Edit]]


def plan(findings: Iterable[Finding], text: str) -> dict[Finding, tuple[Edit, ...]]:
    """The edits of each finding of one file that carries a fix; none where the fix is not possible on this text.

    ``text`` is the file without byte order mark, line ends as they are.
    """
    return {item.finding: item.edits for item in plans(findings, text)}


def plans(findings: Iterable[Finding], text: str, *, of_outline: bool = False) -> list[Planned]:
    """The same with the reasons of refusals; on the outline of the text it costs less, and only the reasons count."""
    wanted = [finding for finding in findings if finding.fix is not None]
    if not wanted:
        return []
    language = language_of(wanted[0].path)
    try:
        parsed = language.parse(language.outline(text, wanted) if of_outline else text)
    except Refused as error:
        return [Planned(finding, (), str(error)) for finding in wanted]
    return [_plan(finding, parsed, language) for finding in wanted]


def settle(findings: Iterable[Finding], read: Callable[[str], str | None]) -> tuple[Finding, ...]:
    """The findings, each with a fix only where that can be made on the text that ``read`` gives for its file.

    The others tell why not. Where there is no text, a finding stays as it is.
    """
    found = tuple(findings)
    fixable = by_path(finding for finding in found if finding.fix is not None)
    texts = ((read(path), its) for path, its in fixable.items())
    planned = (item for text, its in texts if text is not None for item in plans(its, text, of_outline=True))
    refused = {item.finding: item.finding._replace(fix=None, unfixed=item.refusal) for item in planned if item.refusal}
    return tuple(refused.get(finding, finding) for finding in found)


def _plan(finding: Finding, parsed: Text, language: Language) -> Planned:
    fix = finding.fix
    if fix is None or fix.kind not in language.fixers:
        return Planned(finding, (), "no fixer is known for it")
    fixer: Fixer = import_module(f"shutdown_lint.fixes.{fix.kind}").edits
    try:
        return Planned(finding, tuple(fixer(parsed, finding.span, dict(fix.args))))
    except Refused as error:
        return Planned(finding, (), str(error))


__all__ = ["KINDS", "plan", "plans", "settle"]
