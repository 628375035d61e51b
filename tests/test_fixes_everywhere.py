"""Fixers let loose on real code: whatever place they are pointed at, what comes out is Python with all its comments."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
import pytest

from shutdown_lint.findings import Finding, Fix
from shutdown_lint.fixes import names
from shutdown_lint.fixes.checking import broken
from shutdown_lint.fixes.edits import Planned, changed, compatible
from shutdown_lint.fixes.planning import plans
from shutdown_lint.fixes.tree import Tree, comments, parse, walk

LIBRARY = Path(os.__file__).parent
FILES = ("asyncio/queues.py", "dataclasses.py", "threading.py", "socketserver.py", "subprocess.py", "shutil.py")


def _finding(tree: Tree, kind: str, node: cst.CSTNode, *args: tuple[str, str]) -> Finding:
    fix = Fix("safe", "", kind, args)
    return Finding("a.py", tree.span(*tree.range(node)), kind.upper(), kind, "x", "error", "D", fix=fix)


def _places(tree: Tree) -> Iterator[Finding]:
    """Every statement that is a call, every function, lambda, clause and jump, every call in the place of a callback."""
    for node in walk(tree.module):
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
            ends = names.code(node.value.func).rpartition(".")[2] in ("wait", "join", "kill", "terminate")
            yield from (_finding(tree, kind, node.value) for kind in (("shd405", "shd406") if ends else ("shd208",)))
        elif isinstance(node, cst.FunctionDef):
            yield _finding(tree, "shd310", node.name)
        elif isinstance(node, cst.ExceptHandler):
            yield from (_finding(tree, kind, node) for kind in ("shd501", "shd502", "shd503", "shd506", "shd508"))
        elif isinstance(node, (cst.Return, cst.Break, cst.Continue)):
            yield _finding(tree, "shd107", node)
        elif isinstance(node, cst.Lambda):
            yield _finding(tree, "shd310", node)
        elif isinstance(node, cst.Assign) and isinstance(node.value, cst.Call):
            yield _finding(tree, "shd204", node.value)
        elif isinstance(node, cst.Call):
            for arg, registrar in zip(node.args, ("atexit.register", "threading.Timer"), strict=False):
                if isinstance(arg.value, cst.Call):
                    yield _finding(tree, "shd309", arg.value, ("registrar", registrar))


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("name", FILES)
def test_everything_that_can_be_changed_is_changed_well(name: str, newline: str) -> None:
    text = (LIBRARY / name).read_text("utf-8").replace("\n", newline)
    tree = parse(text)
    chosen: list[Planned] = compatible(plans(list(_places(tree)), text))
    result = changed(text, (edit for plan in chosen for edit in plan.edits))
    assert {plan.finding.code for plan in chosen} >= {"SHD208", "SHD310"} and result != text
    assert broken(text.encode(), result.encode()) == ""
    assert sorted(comments(parse(result).module)) == sorted(comments(tree.module))
    assert set(re.findall(r"\r\n|\n|\r", result)) == {newline}
