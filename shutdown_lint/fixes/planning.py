"""From findings to edits: each finding's fixer is asked on the text as it is now."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, TypeAlias

from shutdown_lint.findings import Edit, Finding
from shutdown_lint.fixes.edits import Planned
from shutdown_lint.fixes.refusal import Refused

if TYPE_CHECKING:
    from shutdown_lint.facts import Span
    from shutdown_lint.fixes.tree import Tree

    Fixer: TypeAlias = Callable[[Tree, Span, Mapping[str, str]], list[Edit]]

# one module a fixer, named like the code of its rule
KINDS = frozenset(name for _, name, _ in iter_modules([os.path.dirname(__file__)]) if re.fullmatch(r"shd\d{3}", name))


def plan(findings: Iterable[Finding], text: str) -> dict[Finding, tuple[Edit, ...]]:
    """The edits of each finding of one file that carries a fix; none where the fix is not possible on this text.

    ``text`` is the file without byte order mark, line ends as they are.
    """
    return {item.finding: item.edits for item in plans(findings, text)}


def plans(findings: Iterable[Finding], text: str) -> list[Planned]:
    """The same with the reasons of refusals."""
    from shutdown_lint.fixes.tree import parse

    wanted = [finding for finding in findings if finding.fix is not None]
    if not wanted:
        return []
    try:
        tree = parse(text)
    except Refused as error:
        return [Planned(finding, (), str(error)) for finding in wanted]
    return [_plan(finding, tree) for finding in wanted]


def settle(findings: Iterable[Finding], read: Callable[[str], str | None]) -> tuple[Finding, ...]:
    """The findings, each with a fix only where that can be made on the text that ``read`` gives for its file.

    The others tell why not. Where there is no text, a finding stays as it is.
    """
    found = tuple(findings)
    by_path: dict[str, list[Finding]] = {}
    for finding in found:
        if finding.fix is not None:
            by_path.setdefault(finding.path, []).append(finding)
    texts = ((read(path), its) for path, its in by_path.items())
    planned = (item for text, its in texts if text is not None for item in plans(its, text))
    refused = {item.finding: item.finding._replace(fix=None, unfixed=item.refusal) for item in planned if item.refusal}
    return tuple(refused.get(finding, finding) for finding in found)


def _plan(finding: Finding, tree: Tree) -> Planned:
    fix = finding.fix
    if fix is None or fix.kind not in KINDS:
        return Planned(finding, (), "no fixer is known for it")
    fixer: Fixer = import_module(f"shutdown_lint.fixes.{fix.kind}").edits
    try:
        return Planned(finding, tuple(fixer(tree, finding.span, dict(fix.args))))
    except Refused as error:
        return Planned(finding, (), str(error))
