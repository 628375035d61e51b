"""Files of which nothing is lost when their writer is killed: moved to their names when they are whole, or flushed as they grow."""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Assign, Attr, Call, Const, Expr, ExprStmt, For, Name, Seq, Stmt, While, With, WithItem
from shutdown_lint.project import Fn, Project
from shutdown_lint.walk import Site, argument, enclosing_loops, last_name, same, sites, subexprs, walk

_PUTS_IN_PLACE = frozenset({"replace", "rename", "move", "renames", "link"})
_REMOVES = frozenset({"unlink", "remove", "rmtree", "rmdir"})
_NAMED = "NamedTemporaryFile"


def is_put_in_place(item: WithItem, block: With, fn: Fn, project: Project) -> bool:
    """Whether the file is moved to its name behind the block: who is killed before that leaves the old one as it was."""
    path = argument(item.context, 0, "file") if isinstance(item.context, Call) else None
    known = _named_after(item, path, fn)
    return any(
        (path is not None and same(path, source)) or _mentions(source, known)
        for site in fn.sites
        if site.call.span.line > block.span.line
        for source in _put_in_place(site, fn, project)
    )


def removes_the_draft(site: Site, fn: Fn, project: Project) -> bool:
    """Whether the call removes what the function moves to its name: only a file that nobody asks for stays behind."""
    if last_name(site.call.func) not in _REMOVES:
        return False
    removed = site.call.args[0].value if site.call.args else getattr(site.call.func, "value", None)
    return removed is not None and any(
        same(removed, source) for other in fn.sites for source in _put_in_place(other, fn, project)
    )


def _put_in_place(site: Site, fn: Fn, project: Project) -> Iterator[Expr]:
    """What the call moves to its name: ``os.replace(draft, path)``, ``draft.rename(path)``, or a function that does this."""
    if last_name(site.call.func) in _PUTS_IN_PLACE:
        source = argument(site.call, 0, "src")
        if len(site.call.args) == 1 and isinstance(site.call.func, Attr):
            source = site.call.func.value
        if source is not None:
            yield source
        return
    for target in project.calls.targets(site.call, fn) if site.call.args else ():
        moved = [
            argument(inner.call, 0, "src")
            for inner in target.fn.sites
            if last_name(inner.call.func) in _PUTS_IN_PLACE and inner.call.args
        ]
        for param in target.fn.facts.params:
            given = project.calls.passed(site.call, target.fn, param)
            if given is not None and any(isinstance(source, Name) and source.id == param.name for source in moved):
                yield given


def _named_after(item: WithItem, path: Expr | None, fn: Fn) -> set[str]:
    """The names that lead to a file that was made under a name of its own: ``fd, path = mkstemp()``, ``NamedTemporaryFile() as f``."""
    known: set[str] = set()
    if isinstance(item.target, Name) and isinstance(item.context, Call) and last_name(item.context.func) == _NAMED:
        known.add(item.target.id)
    made = [at.stmt for at in fn.statements if isinstance(at.stmt, Assign) and at.stmt.value is not None]
    for stmt in made:
        parts = [part for target in stmt.targets if isinstance(target, Seq) for part in target.items]
        if path is not None and any(same(part, path) for part in parts):
            known |= {part.id for part in parts if isinstance(part, Name)}
    for stmt in made if known else ():
        if stmt.value is not None and _mentions(stmt.value, known):
            known |= {target.id for target in stmt.targets if isinstance(target, Name)}
    return known


def _mentions(expr: Expr, known: set[str]) -> bool:
    return any(isinstance(part, Name) and part.id in known for part in subexprs(expr))


def is_flushed(item: WithItem, block: With) -> bool:
    """Whether the file grows in a loop that flushes it after each piece: what was written is on its way to the disk."""
    if not isinstance(item.target, Name):
        return False
    name = item.target.id
    used = [at for at in walk(block.body) if isinstance(at.stmt, ExprStmt) and _touches(at.stmt, name)]
    writes = [at for at in used if not _is_flush(at.stmt, name)]
    looped = [at for at in writes if any(True for _ in enclosing_loops(at))]
    first = [at.stmt.span.line for at in walk(block.body) if isinstance(at.stmt, (For, While))][:1]
    return bool(looped and first) and all(
        _flushes_itself(at.stmt) or any(_is_flush(stmt, name) for stmt in at.after())
        if at in looped
        else getattr(at.stmt, "span", block.span).line < first[0]
        for at in writes
    )


def _touches(stmt: Stmt, name: str) -> bool:
    return any(isinstance(part, Name) and part.id == name for site in sites((stmt,)) for part in subexprs(site.call))


def _is_flush(stmt: Stmt, name: str) -> bool:
    """``file.flush()``."""
    func = stmt.value.func if isinstance(stmt, ExprStmt) and isinstance(stmt.value, Call) else None
    return isinstance(func, Attr) and func.name == "flush" and isinstance(func.value, Name) and func.value.id == name


def _flushes_itself(stmt: Stmt) -> bool:
    """``print(…, file=file, flush=True)``."""
    said = [argument(site.call, 99, "flush") for site in sites((stmt,))]
    return any(isinstance(value, Const) and value.value is True for value in said)
