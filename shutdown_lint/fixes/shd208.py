"""SHD208: a task that nobody holds is kept in a set of the module until it is done.

The finding's span is the call that makes the task, or the statement that holds nothing but the call. Checked here: the
call is a statement of its own, outside class bodies; the names used are free. As in the documentation of
``asyncio.create_task``, the set keeps the task from being collected; it does not wait for it when the loop ends.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.blocks import append
from shutdown_lint.fixes.imports import head, imports_plainly, insert_after
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, code_of

_TASKS = "_background_tasks"
_TASK = "_task"


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Name the task, put it into the set, take it out when it is done; add the set where the module has none."""
    statement = _statement(tree, span)
    scope = names.scope_of(tree, statement)
    if isinstance(scope, cst.ClassDef):
        raise Refused("the name of the task would become an attribute of the class")
    task = names.free_name(tree, _outermost(tree, scope), _TASK)
    tasks, new = _set(tree, statement)
    start, _ = tree.range(statement)
    steps = (_call(tasks, "add", cst.Name(task)), _call(task, "add_done_callback", _attribute(tasks, "discard")))
    return [*new, tree.edit(start, start, code_of(cst.AssignTarget(cst.Name(task)))), append(tree, statement, steps)]


def _statement(tree: Tree, span: Span) -> cst.Expr:
    node = tree.at(span, cst.Expr) or tree.at(span, cst.Call)
    statement = tree.parents.get(id(node)) if isinstance(node, cst.Call) else node
    if not isinstance(statement, cst.Expr) or not isinstance(statement.value, cst.Call):
        raise Refused("no statement that makes a task stands here")
    return statement


def _outermost(tree: Tree, scope: names.Scope) -> cst.CSTNode:
    """The definition at the top of the file around the scope: functions in it see its names."""
    functions = [node for node in tree.ancestors(scope) if isinstance(node, cst.FunctionDef)]
    return functions[-1] if functions else scope


def _call(owner: str, method: str, argument: cst.BaseExpression) -> str:
    return code_of(cst.Call(_attribute(owner, method), [cst.Arg(argument)]))


def _attribute(owner: str, name: str) -> cst.Attribute:
    return cst.Attribute(cst.Name(owner), cst.Name(name))


def _set(tree: Tree, statement: cst.CSTNode) -> tuple[str, list[Edit]]:
    """The name of the module's set of tasks, and the edit that makes it where there is none yet."""
    if _has_set(tree, statement):
        return _TASKS, []
    name = names.free_name(tree, tree.module, _TASKS)
    edit = insert_after(tree, len(head(tree)), _declaration(tree, name))
    if tree.offset(edit.span.line, edit.span.col) > tree.range(statement)[0]:
        raise Refused("the task is made among the imports of the file")
    return name, [edit]


def _has_set(tree: Tree, statement: cst.CSTNode) -> bool:
    """Whether ``_background_tasks = set()`` at the top level of the file is what the name means at the statement."""
    made = names.bindings(tree, tree.module, _TASKS)
    inner = names.scopes(tree, statement)[:-1]
    hidden = any(names.bindings(tree, scope, _TASKS) for scope in inner)
    if len(made) != 1 or hidden or names.declares_global(tree, _TASKS):
        return False
    assign = tree.parents[id(made[0])] if isinstance(made[0], cst.AssignTarget) else made[0]
    if not isinstance(assign, (cst.Assign, cst.AnnAssign)) or not isinstance(assign.value, cst.Call):
        return False
    line = tree.parents[id(assign)]
    is_set = names.code(assign.value.func) == "set" and not assign.value.args
    return is_set and tree.parents[id(line)] is tree.module and tree.range(line)[1] <= tree.range(statement)[0]


def _declaration(tree: Tree, name: str) -> str:
    """``name = set()``; with a type where the file writes types and imports ``asyncio``."""
    value = cst.Call(cst.Name("set"))
    if not (names.is_annotated(tree) and imports_plainly(tree, "asyncio")):
        return code_of(cst.Assign([cst.AssignTarget(cst.Name(name))], value))
    annotation = cst.Annotation(cst.parse_expression("set[asyncio.Task[object]]"))
    return code_of(cst.AnnAssign(cst.Name(name), annotation, value))
