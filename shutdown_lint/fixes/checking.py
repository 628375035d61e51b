"""What must hold of a changed file before it may be written. Functions return what is wrong, or an empty string."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shutdown_lint.findings import Edit, Finding
from shutdown_lint.fixes.edits import Planned, changed
from shutdown_lint.rules.registry import TROUBLES

# the only fixer that is there to remove comments
_REMOVES_COMMENTS = "shd910"


def broken(before: bytes, after: bytes) -> str:
    """Whether CPython refuses the result although it took the original."""
    if _compile_error(before):
        return ""  # syntax of another version than the running one: LibCST is the only judge
    error = _compile_error(after)
    return f"the result would not compile: {error}" if error else ""


def _compile_error(data: bytes) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(data, "<fixed>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
            return str(error) or type(error).__name__
    return ""


def loses_comments(text: str, result: str, plans: Sequence[Planned]) -> str:
    """Whether a comment is gone that no fix was to remove. Raises ``Refused`` where the result cannot be parsed."""
    from shutdown_lint.fixes.tree import comments, parse

    wanted: Iterable[Edit] = (
        edit for plan in plans if plan.finding.fix and plan.finding.fix.kind == _REMOVES_COMMENTS for edit in plan.edits
    )
    expected = Counter(comments(parse(changed(text, wanted)).module))
    lost = expected - Counter(comments(parse(result).module))
    return f"the comment `{min(lost)}` would be lost" if lost else ""


class Wrong(NamedTuple):
    """What speaks against a change, and the rule whose fix is to blame."""

    code: str
    message: str


def still_found(before: Iterable[Finding], after: Iterable[Finding], plans: Sequence[Planned]) -> Wrong | None:
    """Whether a rule finds in the result as much as before, or the result cannot be analysed any more."""
    was, now = Counter(f.code for f in before), Counter(f.code for f in after)
    for code in sorted(TROUBLES):
        if now[code] > was[code]:
            return Wrong(code, f"the result could not be analysed ({code})")
    for code, number in sorted(Counter(plan.finding.code for plan in plans).items()):
        if now[code] > was[code] - number:
            return Wrong(code, f"{code} would still be found after its fix")
    return None
