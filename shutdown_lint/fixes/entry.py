"""A new first line for the ``if __name__ == "__main__":`` of a program."""

from __future__ import annotations

import re
from collections.abc import Mapping

import libcst as cst

from shutdown_lint.findings import Edit
from shutdown_lint.fixes.blocks import insert
from shutdown_lint.fixes.imports import access, together
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree


def install(tree: Tree, args: Mapping[str, str], line: str) -> list[Edit]:
    """Add the line; ``{module}`` in it stands for the names of modules, which are imported where they are missing."""
    first = _guard(tree, args).body.body[0]
    found = {module: access(tree, module, first) for module in dict.fromkeys(re.findall(r"\{(\w+)\}", line))}
    text = line.format(**{module: each.name for module, each in found.items()})
    imports = together([edit for each in found.values() for edit in each.edits])
    return [*imports, insert(tree, first, (text,), before=True)]


def _guard(tree: Tree, args: Mapping[str, str]) -> cst.If:
    if not (args.get("line", "").isdigit() and args.get("column", "").isdigit()):
        raise Refused('the program has no `if __name__ == "__main__":` in this file')
    start = tree.offset(int(args["line"]), int(args["column"]))
    for statement in tree.module.body:
        if isinstance(statement, cst.If) and tree.range(statement)[0] == start:
            if isinstance(statement.body, cst.IndentedBlock):
                return statement
            raise Refused("the `if` has its program on the same line")
    raise Refused("no `if` stands there")
