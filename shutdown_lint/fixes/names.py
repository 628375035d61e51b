"""Which names a scope binds, and which are free for a fixer to use.

Coarser than Python's rules and never more permissive: what a comprehension binds counts for the scope around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias, Union

import libcst as cst

from shutdown_lint.fixes.tree import Tree, children, walk

Scope: TypeAlias = Union[cst.Module, cst.FunctionDef, cst.ClassDef, cst.Lambda]
_SCOPES = (cst.FunctionDef, cst.ClassDef, cst.Lambda)
_WITH_TARGET = (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For, cst.CompFor, cst.NamedExpr, cst.Del)


def scopes(tree: Tree, node: cst.CSTNode) -> list[Scope]:
    """The scopes that Python searches for a name used at the node, innermost first; the module is the last."""
    around = list(_scopes_around(tree, node))
    # names of a class body are not seen from functions in it
    return around[:1] + [scope for scope in around[1:] if not isinstance(scope, cst.ClassDef)]


def _scopes_around(tree: Tree, node: cst.CSTNode) -> Iterator[Scope]:
    inner = node
    for outer in tree.ancestors(node):
        if isinstance(outer, cst.Module) or (isinstance(outer, _SCOPES) and _inside(outer, inner)):
            yield outer
        inner = outer


def _inside(scope: cst.CSTNode, part: cst.CSTNode) -> bool:
    """Whether a part of a definition belongs to its scope: decorators, bases, defaults, annotations do not."""
    return part is getattr(scope, "body", None)


def scope_of(tree: Tree, node: cst.CSTNode) -> Scope:
    """The innermost scope that the node stands in, a class body included."""
    return next(_scopes_around(tree, node), tree.module)


def nodes_of(scope: Scope) -> Iterator[cst.CSTNode]:
    """The nodes of a scope; of definitions in it only themselves and what is evaluated here."""
    stack: list[cst.CSTNode] = [scope.body] if isinstance(scope, _SCOPES) else list(reversed(scope.body))
    if isinstance(scope, (cst.FunctionDef, cst.Lambda)):
        stack.append(scope.params)
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(_evaluated_here(node) if isinstance(node, _SCOPES) else list(children(node))))


def _evaluated_here(scope: cst.CSTNode) -> list[cst.CSTNode]:
    """The parts of a nested definition that run in the scope around it: decorators, bases, defaults, annotations."""
    parts = [part for part in children(scope) if not _inside(scope, part)]
    params = [part for part in parts if isinstance(part, cst.Parameters)]
    inner = [
        part
        for each in params
        for node in walk(each)
        if isinstance(node, cst.Param)
        for part in (node.default, node.annotation)
        if part is not None
    ]
    return [part for part in parts if not isinstance(part, cst.Parameters)] + inner


def bindings(tree: Tree, scope: Scope, name: str) -> list[cst.CSTNode]:
    """The nodes that bind (or delete, or declare global) the name in the scope."""
    return tree.remember(_bindings, scope).get(name, [])


def _bindings(scope: Scope) -> dict[str, list[cst.CSTNode]]:
    found: dict[str, list[cst.CSTNode]] = {}
    for node in nodes_of(scope):
        for name in _bound_by(node):
            found.setdefault(name, []).append(node)
    return found


def _bound_by(node: cst.CSTNode) -> Iterator[str]:
    """The names that the node itself binds."""
    if isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Param, cst.NameItem)):
        yield node.name.value
    elif isinstance(node, cst.ImportAlias):
        yield _imported(node)
    elif isinstance(node, _WITH_TARGET):
        yield from _targets(node.target)
    elif isinstance(node, (cst.AsName, cst.MatchAs, cst.MatchStar)) and isinstance(node.name, cst.CSTNode):
        yield from _targets(node.name)
    elif isinstance(node, cst.MatchMapping) and node.rest is not None:
        yield node.rest.value
    elif isinstance(node, cst.TypeAlias):
        yield node.name.value


def _imported(alias: cst.ImportAlias) -> str:
    if alias.asname is not None:
        return code(alias.asname.name)
    return code(alias.name).partition(".")[0]


def _targets(target: cst.CSTNode) -> Iterator[str]:
    """The plain names in a target; attributes and subscripts bind none."""
    if isinstance(target, cst.Name):
        yield target.value
    elif isinstance(target, (cst.Tuple, cst.List)):
        for element in target.elements:
            yield from _targets(element.value)


def code(node: cst.CSTNode) -> str:
    """A dotted name as text; empty for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        value = code(node.value)
        return f"{value}.{node.attr.value}" if value else ""
    return ""


def mentions(tree: Tree, top: cst.CSTNode, name: str) -> bool:
    """Whether the identifier occurs anywhere in the node as a variable: attributes and keywords are none."""
    return name in tree.remember(_mentioned, top)


def _mentioned(top: cst.CSTNode) -> frozenset[str]:
    nodes = list(walk(top))
    other = {id(node.attr) for node in nodes if isinstance(node, cst.Attribute)}
    other |= {id(node.keyword) for node in nodes if isinstance(node, cst.Arg)}
    return frozenset(node.value for node in nodes if isinstance(node, cst.Name) and id(node) not in other)


def free_name(tree: Tree, top: cst.CSTNode, wish: str) -> str:
    """The wished name, or the name with a number where the node mentions it."""
    number, name = 1, wish
    while mentions(tree, top, name):
        number += 1
        name = f"{wish}_{number}"
    return name


def is_bound(tree: Tree, node: cst.CSTNode, name: str) -> bool:
    """Whether the name, used at the node, may mean something else than the builtin."""
    if has_star_import(tree) or declares_global(tree, name):
        return True
    return any(bindings(tree, scope, name) for scope in scopes(tree, node))


def declares_global(tree: Tree, name: str) -> bool:
    """Whether some function binds the module's name through ``global``."""
    return name in tree.remember(_declared_global, tree.module)


def _declared_global(module: cst.Module) -> frozenset[str]:
    declarations = (node for node in walk(module) if isinstance(node, cst.Global))
    return frozenset(item.name.value for node in declarations for item in node.names)


def has_star_import(tree: Tree) -> bool:
    """Whether names may come from elsewhere unseen."""
    return tree.remember(_holds, tree.module, cst.ImportStar)


def is_annotated(tree: Tree) -> bool:
    """Whether the file uses annotations."""
    return tree.remember(_holds, tree.module, cst.Annotation)


def _holds(module: cst.Module, kind: type[cst.CSTNode]) -> bool:
    return any(isinstance(node, kind) for node in walk(module))


def definitions(tree: Tree) -> list[cst.FunctionDef | cst.Lambda]:
    """The functions and lambdas of the file, outer ones first."""
    return tree.remember(_definitions, tree.module)


def _definitions(module: cst.Module) -> list[cst.FunctionDef | cst.Lambda]:
    return [node for node in walk(module) if isinstance(node, (cst.FunctionDef, cst.Lambda))]
