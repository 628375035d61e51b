"""What the fixers say about findings, for those who print them; a fixer, and LibCST, is loaded only where there is a fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from shutdown_lint.findings import by_path
from shutdown_lint.refining import Refine

if TYPE_CHECKING:
    from shutdown_lint.findings import Edit, Finding


def edits_of(findings: Iterable[Finding], read: Callable[[str], str | None]) -> dict[Finding, tuple[Edit, ...]]:
    """The edits of the findings that carry a fix; ``read`` gives the texts of files."""
    fixable = by_path(finding for finding in findings if finding.fix is not None)
    if not fixable:
        return {}
    from shutdown_lint.fixes import plan

    texts = ((read(path), found) for path, found in fixable.items())
    return {finding: edits for text, found in texts if text is not None for finding, edits in plan(found, text).items()}


def possible(findings: Sequence[Finding], read: Callable[[str], str | None]) -> tuple[Finding, ...]:
    """The findings, each with a fix only where it can be made on the text that ``read`` gives; the others tell why not."""
    if not any(finding.fix for finding in findings):
        return tuple(findings)
    from shutdown_lint.fixes.planning import settle

    return settle(findings, read)


def _load_fixers() -> None:
    import shutdown_lint.fixes.planning
    import shutdown_lint.fixes.tree  # noqa: F401


WHERE_POSSIBLE = Refine(possible, _load_fixers)
