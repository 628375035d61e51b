"""Code actions: the fix of a finding, all safe fixes of a file, a comment that hides a finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lsprotocol import types

from shutdown_lint.adoption import noqa
from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit, Finding
from shutdown_lint.lsp.convert import Converter
from shutdown_lint.report.view import lines_of

FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.shutdown-lint"


def quick_fixes(
    path: str, text: str, uri: str, found: Sequence[tuple[Finding, types.Diagnostic]], converter: Converter
) -> Iterator[types.CodeAction]:
    """Actions for these findings of one file: fixes first, the safe ones preferred."""
    from shutdown_lint.fixes import plan

    edits = plan((finding for finding, _ in found), text)
    for finding, diagnostic in found:
        made = edits.get(finding)
        if made and finding.fix:
            unsafe = finding.fix.applicability == "unsafe"
            title = f"{finding.fix.message}{' (unsafe: read what it changes)' if unsafe else ''}"
            yield types.CodeAction(
                title=title[:1].upper() + title[1:],
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[diagnostic],
                is_preferred=not unsafe,
                edit=_workspace_edit(path, uri, made, converter),
            )
    for finding, diagnostic in found:
        if noqa.can_be_hidden(finding):
            hidden = noqa.add(text, [finding])
            if hidden.number:
                yield types.CodeAction(
                    title=f"Hide {finding.code} here with a comment",
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[diagnostic],
                    edit=_replaced_lines(path, uri, (text, hidden.text), converter),
                )


def fix_all(
    path: str, text: str, uri: str, findings: Iterable[Finding], converter: Converter
) -> types.CodeAction | None:
    """All safe fixes of the file that go together; None without any."""
    from shutdown_lint.fixes.edits import compatible
    from shutdown_lint.fixes.planning import plans

    safe = [finding for finding in findings if finding.fix and finding.fix.applicability == "safe"]
    edits = {edit: None for planned in compatible(plans(safe, text)) for edit in planned.edits}
    if not edits:
        return None
    edit = _workspace_edit(path, uri, tuple(edits), converter)
    return types.CodeAction(title="Apply all safe fixes of shutdown-lint", kind=FIX_ALL, edit=edit)


def _workspace_edit(path: str, uri: str, edits: Iterable[Edit], converter: Converter) -> types.WorkspaceEdit:
    changes = [types.TextEdit(range=converter.range(path, edit.span), new_text=edit.content) for edit in edits]
    return types.WorkspaceEdit(changes={uri: changes})


def _replaced_lines(path: str, uri: str, texts: tuple[str, str], converter: Converter) -> types.WorkspaceEdit:
    """The lines that differ, whole: both texts have the same number of lines."""
    before, after = map(lines_of, texts)
    edits = [
        Edit(Span(number, 1, number, len(old) + 1), new)
        for number, (old, new) in enumerate(zip(before, after, strict=True), 1)
        if old != new
    ]
    return _workspace_edit(path, uri, edits, converter)
