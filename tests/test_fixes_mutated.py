"""Fixes on the programs of the proofs, written in other ways: comments everywhere, other indentation, line ends, nesting."""

from __future__ import annotations

import ast
import os
import re
import tempfile
from pathlib import Path

import libcst as cst
import proofs
from hypothesis import given, settings as hypothesis_settings, strategies as st

from shutdown_lint import engine, fixes
from shutdown_lint.settings import Settings

PROOFS = proofs.proofs()


class _Comments(cst.CSTTransformer):
    """A comment behind and above statements, numbered, at the places that ``where`` picks."""

    def __init__(self, where: int) -> None:
        super().__init__()
        self.where, self.number = where, 0

    def leave_SimpleStatementLine(  # noqa: N802  # the name is given
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine:
        self.number += 1
        trailing = updated_node.trailing_whitespace
        if self.number % self.where == 0 and trailing.comment is None:
            space, comment = cst.SimpleWhitespace("  "), cst.Comment(f"# behind {self.number}")
            updated_node = updated_node.with_changes(
                trailing_whitespace=trailing.with_changes(whitespace=space, comment=comment)
            )
        if self.number % (self.where + 1) == 0:
            line = cst.EmptyLine(comment=cst.Comment(f"# above {self.number}"))
            updated_node = updated_node.with_changes(leading_lines=[*updated_node.leading_lines, line])
        return updated_node


class _Indent(cst.CSTTransformer):
    """Blocks with an indentation of their own."""

    def __init__(self, indent: str) -> None:
        super().__init__()
        self.indent = indent

    def leave_IndentedBlock(  # noqa: N802  # the name is given
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        return updated_node.with_changes(indent=self.indent)


def _fix(folder: str, code: str, text: str) -> tuple[engine.Report, fixes.FixResult, str]:
    path = Path(folder, "program.py")
    path.write_bytes(text.encode())
    given_settings = Settings(root=folder, select=(code,), jobs=1)
    report = engine.check([str(path)], given_settings)
    result = fixes.apply(report, [str(path)], given_settings, unsafe=True)
    return report, result, path.read_bytes().decode()


@hypothesis_settings(max_examples=80, deadline=None)
@given(
    proof=st.sampled_from(PROOFS),
    where=st.integers(1, 6),
    indent=st.sampled_from(["    ", "\t", "  "]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_written_in_another_way(proof: proofs.Proof, where: int, indent: str, newline: str) -> None:
    module = cst.parse_module(proof.path.read_text("utf-8"))
    text = module.visit(_Comments(where)).visit(_Indent(indent)).code.replace("\n", newline)
    before = re.findall(r"#[^\r\n]*", text)
    with tempfile.TemporaryDirectory() as folder:
        report, result, fixed = _fix(os.path.realpath(folder), proof.code, text)
        assert report.findings and result.problems == ()
        ast.parse(fixed)
        assert sorted(re.findall(r"#[^\r\n]*", fixed)) == sorted(before)
        assert set(re.findall(r"\r\n|\n|\r", fixed)) == {newline}
        if result.fixed:
            assert result.report.findings == ()
        else:  # a comment stands where the fix would have to remove the line
            assert result.refused and fixed == text
        _, again, same = _fix(os.path.realpath(folder), proof.code, fixed)
        assert again.fixed == () and same == fixed
