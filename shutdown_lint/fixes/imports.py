"""Finds a module under the name that the file gives it, or adds ``import module`` where the file's style has it."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, code_of, walk

_BLANK_FOLLOWS = re.compile(r"(?:\r\n|\n|\r(?!\n))[ \t\f]*(?:[\r\n]|\Z)|\Z")


class Access(NamedTuple):
    """The name under which a module can be used at a place, and the edit that makes it so."""

    name: str
    edits: tuple[Edit, ...]


def access(tree: Tree, module: str, node: cst.CSTNode) -> Access:
    """How code at the node can name the standard library module. Raises ``Refused`` where its name is taken."""
    around = names.scopes(tree, node)
    for name, statement in tree.remember(_imported_as, tree.module, module):
        is_before = tree.range(statement)[1] <= tree.range(node)[0]
        if is_before and _is_only_the_module(tree, name, module, around):
            return Access(name, ())
    if names.has_star_import(tree):
        raise Refused(f"a star import may bind `{module}`")
    if not _is_only_the_module(tree, module, module, around):
        raise Refused(f"`{module}` means something else here")
    return Access(module, (insertion(tree, module),))


def together(edits: list[Edit]) -> list[Edit]:
    """Edits that add imports, those at one place as one: lines one below the other."""
    by_place: dict[Span, list[str]] = {}
    for edit in dict.fromkeys(edits):
        by_place.setdefault(edit.span, []).append(edit.content)
    return [Edit(place, _joined(texts)) for place, texts in by_place.items()]


def _joined(texts: list[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    lines = [text.strip("\r\n") for text in texts]
    before, _, after = texts[0].partition(lines[0])
    newline = "\r\n" if "\r\n" in texts[0] else "\r" if "\r" in texts[0] else "\n"
    return f"{before}{newline.join(sorted(lines))}{after}"


def _imported_as(file: cst.Module, module: str) -> list[tuple[str, cst.CSTNode]]:
    """The names that statements at the top level of the file bind to the module, those without ``as`` first."""
    lines = (line for line in file.body if isinstance(line, cst.SimpleStatementLine))
    statements = (part for line in lines for part in line.body if isinstance(part, cst.Import))
    found = (
        (names.code(alias.asname.name) if alias.asname else module, statement)
        for statement in statements
        for alias in statement.names
        if names.code(alias.name) == module
    )
    return sorted(found, key=lambda pair: pair[0] != module)


def _is_only_the_module(tree: Tree, name: str, module: str, around: list[names.Scope]) -> bool:
    """Whether no scope that is searched binds the name to anything else."""
    if names.declares_global(tree, name) or any(names.bindings(tree, scope, name) for scope in around[:-1]):
        return False
    return all(_binds_module(tree, binding, module) for binding in names.bindings(tree, tree.module, name))


def _binds_module(tree: Tree, node: cst.CSTNode, module: str) -> bool:
    alias = tree.parents[id(node)] if isinstance(node, cst.AsName) else node
    return (
        isinstance(alias, cst.ImportAlias)
        and names.code(alias.name) == module
        and isinstance(tree.parents[id(alias)], cst.Import)
    )


# --- where a new line goes -------------------------------------------------------------------------------------------


def leading_imports(tree: Tree) -> tuple[int, list[cst.SimpleStatementLine]]:
    """How many lines at the top of the file are docstring and ``__future__``; then the unbroken run of imports."""
    fixed = 0
    run: list[cst.SimpleStatementLine] = []
    for number, line in enumerate(tree.module.body):
        if not isinstance(line, cst.SimpleStatementLine):
            break
        if not run and (_is_docstring(line, number) or _is_future(line)):
            fixed += 1
        elif all(isinstance(part, (cst.Import, cst.ImportFrom)) for part in line.body):
            run.append(line)
        else:
            break
    return fixed, run


def head(tree: Tree) -> list[cst.CSTNode]:
    """The statements at the top of the file after which its own code begins: docstring, imports in every shape."""
    found: list[cst.CSTNode] = []
    for number, line in enumerate(tree.module.body):
        if isinstance(line, cst.SimpleStatementLine):
            belongs = _is_docstring(line, number) or _is_head(line)
        else:
            belongs = isinstance(line, (cst.If, cst.Try)) and _holds_imports_only(line)
        if not belongs:
            break
        found.append(line)
    return found


def _holds_imports_only(node: cst.CSTNode) -> bool:
    """``if TYPE_CHECKING: import …`` and ``try: import … except ImportError: name = None``."""
    parts = list(walk(node))
    code = (cst.FunctionDef, cst.ClassDef, cst.With, cst.For, cst.While, cst.Expr)
    has_import = any(isinstance(part, (cst.Import, cst.ImportFrom)) for part in parts)
    return has_import and not any(isinstance(part, code) for part in parts)


def imports_plainly(tree: Tree, module: str) -> bool:
    """Whether the top of the file has ``import module``, and nothing else binds the name."""
    at_the_top = head(tree)
    return _is_only_the_module(tree, module, module, [tree.module]) and any(
        name == module and tree.parents[id(statement)] in at_the_top
        for name, statement in tree.remember(_imported_as, tree.module, module)
    )


def _is_docstring(line: cst.SimpleStatementLine, number: int) -> bool:
    first = line.body[0]
    is_text = isinstance(first, cst.Expr) and isinstance(first.value, (cst.SimpleString, cst.ConcatenatedString))
    return number == 0 and is_text


def _is_future(line: cst.SimpleStatementLine) -> bool:
    first = line.body[0]
    return isinstance(first, cst.ImportFrom) and first.module is not None and names.code(first.module) == "__future__"


def insertion(tree: Tree, module: str) -> Edit:
    """The edit that adds ``import module``: in order among the imports, after docstring and ``__future__``."""
    text = code_of(cst.Import(names=[cst.ImportAlias(name=cst.Name(module))]))
    fixed, run = leading_imports(tree)
    if not run:
        return insert_after(tree, fixed, text)
    group = _standard_group(run)
    if group is None:
        return _before(tree, run[0], f"{text}\n\n")
    before = [line for line in group if _sorts_before(line, module)]
    return _after(tree, before[-1], text) if before else _first_of_group(tree, group[0], text)


def _first_of_group(tree: Tree, line: cst.CSTNode, text: str) -> Edit:
    """Right above the line: comments over the first import of a group are mostly the group's heading."""
    start = tree.line_start(tree.range(line)[0])
    return tree.edit(start, start, f"{text}\n")


def insert_after(tree: Tree, count: int, text: str) -> Edit:
    """Add lines of their own after the first ``count`` statements of the file, set off by blank lines."""
    if count == 0:
        first = tree.module.body[0]
        gap = "\n\n\n" if isinstance(first, (cst.FunctionDef, cst.ClassDef)) else "\n\n"  # PEP 8
        return _before(tree, first, text + gap)
    last = tree.module.body[count - 1]
    if isinstance(last, cst.SimpleStatementLine) and not _is_head(last):
        raise Refused("there is no line between the head of the file and its code")
    end = tree.line_end(tree.range(last)[1])
    return tree.edit(end, end, f"\n\n{text}" if _BLANK_FOLLOWS.match(tree.text, end) else f"\n\n{text}\n")


def _is_head(line: cst.SimpleStatementLine) -> bool:
    """Whether nothing runs in the line but imports, a docstring apart."""
    rest = line.body[1:] if isinstance(line.body[0], cst.Expr) else line.body
    return all(isinstance(part, (cst.Import, cst.ImportFrom)) for part in rest)


def _standard_group(run: list[cst.SimpleStatementLine]) -> list[cst.SimpleStatementLine] | None:
    """The first group of imports, groups being parted by blank lines, that holds a module of the standard library."""
    groups: list[list[cst.SimpleStatementLine]] = []
    for line in run:
        if not groups or any(item.comment is None for item in line.leading_lines):
            groups.append([])
        groups[-1].append(line)
    return next((group for group in groups if any(_root(line) in sys.stdlib_module_names for line in group)), None)


def _root(line: cst.SimpleStatementLine) -> str:
    """The top-level package that the line imports first; empty for a relative import."""
    first = line.body[0]
    if isinstance(first, cst.Import):
        return names.code(first.names[0].name).partition(".")[0]
    if isinstance(first, cst.ImportFrom) and first.module is not None and not first.relative:
        return names.code(first.module).partition(".")[0]
    return ""


def _sorts_before(line: cst.SimpleStatementLine, module: str) -> bool:
    return isinstance(line.body[0], cst.Import) and names.code(line.body[0].names[0].name).lower() < module


def _before(tree: Tree, node: cst.CSTNode, text: str) -> Edit:
    decorators = node.decorators if isinstance(node, (cst.FunctionDef, cst.ClassDef)) else ()
    start = tree.line_start(tree.range(decorators[0] if decorators else node)[0])
    above = _with_comments(tree, start)
    return tree.edit(above, above, text)


def _with_comments(tree: Tree, start: int) -> int:
    """The start of the comments right above a line; comments with which the file begins are the file's own."""
    line = first = tree.lines.index(start)
    while line > 0 and tree.text.startswith("#", tree.lines[line - 1]):
        line -= 1
    return tree.lines[line if line > 0 else first]


def _after(tree: Tree, node: cst.CSTNode, text: str) -> Edit:
    end = tree.line_end(tree.range(node)[1])
    return tree.edit(end, end, f"\n{text}")
