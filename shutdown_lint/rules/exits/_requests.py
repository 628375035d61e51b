"""Exit requests (``sys.exit``, ``raise SystemExit``, ``exit()``) and the way from the one who runs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shutdown_lint.facts import UNKNOWN, Call, Expr, If, ModuleFacts, Name, Raise, Span, Try, With
from shutdown_lint.findings import Confidence, Step
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.calls import Caller
from shutdown_lint.project.conditions import comes_to, needed, onward
from shutdown_lint.project.endings import SOFT_EXITS, catches, is_exit_request
from shutdown_lint.project.roles import MAX_DEPTH, MAX_VISITED, Registration, Role, is_only_tested, is_test
from shutdown_lint.project.values import External, Function, Partial, Values
from shutdown_lint.rules._ruled_out import is_ruled_out
from shutdown_lint.walk import At, argument, children, last_name, sites, subexprs, text

# The words without which a file holds no exit request.
TRIGGERS = (
    "SystemExit",
    "sys.exit",
    r"re:exit\((?<![\w.]exit\()",
    r"re:quit\((?<![\w.]quit\()",
    r"exit & re:import[^\n]*\bexit\b",
)


_PROMPTS = frozenset({"get_ipython", "InteractiveConsole", "InteractiveInterpreter"})


class Request(NamedTuple):
    """One exit request: as written (``sys.exit(…)``), with its exit status (None where there is none)."""

    at: At
    fn: Fn
    span: Span
    text: str
    status: Expr | None


class Way(NamedTuple):
    """A role under which a place runs, none of whose calls on the way catches an exit request.

    ``calls`` counts the calls between the role's first function and the place; ``places`` are those, and the place.
    """

    role: Role
    steps: tuple[Step, ...]
    calls: int
    confidence: Confidence
    places: tuple[At, ...]


def requests(module: ModuleFacts, project: Project) -> Iterator[Request]:
    """The exit requests of a module, in source order."""
    for request in _all_requests(module, project):
        if not _is_for_other_python(request.at) and not _is_dead_by_then(request.at):
            yield request


def _is_for_other_python(at: At) -> bool:
    """``if sys.version_info < (3, 9): sys.exit(…)``: where the program is meant to run it does not come to this."""
    tests = (place.outer.stmt.test for place in at.around() if place.outer and isinstance(place.outer.stmt, If))
    return any(getattr(part, "name", "") == "version_info" for test in tests for part in subexprs(test))


def _is_dead_by_then(at: At) -> bool:
    """Whether the process has killed itself right before: ``if pid == os.getpid(): process.kill(); sys.exit(0)``."""
    killed = any(last_name(site.call.func) == "kill" for site in sites(at.before()))
    tests = (
        place.outer.stmt.test for place in at.around() if killed and place.outer and isinstance(place.outer.stmt, If)
    )
    return any(isinstance(part, Call) and last_name(part.func) == "getpid" for test in tests for part in subexprs(test))


def _all_requests(module: ModuleFacts, project: Project) -> Iterator[Request]:
    for fn in project.functions(module):
        for at in fn.statements:
            if isinstance(at.stmt, Raise) and is_exit_request(at.stmt.exc, fn, project):
                yield Request(at, fn, at.stmt.span, _raised(at.stmt), _status(at.stmt.exc))
        for site in fn.sites:
            if project.calls.is_call_to(site.call, fn, *SOFT_EXITS):
                yield Request(
                    site.at, fn, site.call.span, f"{text(site.call.func)}()", argument(site.call, 0, "status")
                )


def may_mean_prompt(module: ModuleFacts, project: Project) -> bool:
    """Whether ``exit()`` may be a prompt's helper in its place, in a notebook, or another function from a star import."""
    return "*" in project.body(module).bindings or any(fn.mentions & _PROMPTS for fn in project.functions(module))


def registrations_of(
    module: ModuleFacts, project: Project, names: Iterable[str], *kinds: str
) -> Iterator[tuple[Registration, str]]:
    """Where an exit function itself is registered, with its name: ``atexit.register(os._exit, 0)``, or a partial."""
    for registration in project.roles.registrations():
        if registration.fn.module is module and registration.callback.role in kinds and not is_test(registration.fn):
            for value in project.evaluate.values(registration.argument, registration.fn):
                inner = value.func if isinstance(value, Partial) else value
                if isinstance(inner, External) and project.models.canonical(inner.name) in names:
                    yield registration, inner.name


def _raised(stmt: Raise) -> str:
    exc = stmt.exc
    return f"raise {text(exc.func if isinstance(exc, Call) else exc)}"


def _status(exc: Expr | None) -> Expr | None:
    return argument(exc, 0, "code") if isinstance(exc, Call) else None


def is_caught(at: At, *names: str) -> bool:
    """Whether a ``try`` or ``suppress`` around the place, in its own function, catches one of the exceptions."""
    for place in at.around():
        if place.outer is None or place.part != "body":
            continue
        outer = place.outer.stmt
        if isinstance(outer, Try) and any(catches(handler.types, *names) for handler in outer.handlers):
            return True
        if isinstance(outer, With) and any(_names_one(item.context, *names) for item in outer.items):
            return True
    return False


def _names_one(context: Expr, *names: str) -> bool:
    """``suppress(SystemExit)``, ``pytest.raises(SystemExit)``: a context manager that is told of the exception."""
    return isinstance(context, Call) and any(
        getattr(part, "id", "") in (*names, "BaseException")
        for arg in context.args
        for part in (arg.value, *children(arg.value))
        if isinstance(part, Name)
    )


def ways(request: Request, project: Project, *kinds: str) -> Iterator[Way]:
    """The roles of the kinds whose first function an exit request leaves, shortest ways first."""
    if is_caught(request.at, "SystemExit") or _is_wrapped(request.fn, project):
        return
    seeds = project.roles.seeds()
    queue: list[tuple[Fn, tuple[At, ...], tuple[Step, ...], Confidence, dict[str, bool]]] = [
        (request.fn, (request.at,), (), "proven", needed(request.at, request.fn))
    ]
    seen = {request.fn}
    for fn, places, steps, confidence, wanted in queue:
        at = places[0]
        for role in seeds.get(fn, ()):
            if role.kind not in kinds or is_only_tested(request.fn, role) or _is_kept_off(role, fn, at, project):
                continue
            if comes_to(role, wanted, at, fn, project):
                yield Way(role, (*role.steps, *steps), len(steps), _weaker(role.confidence, confidence), places)
        if len(steps) >= MAX_DEPTH or len(queue) >= MAX_VISITED or fn.facts.is_generator:
            continue
        for caller in project.calls.callers(fn):
            if caller.fn not in seen and _leads_out(caller, fn, at, project):
                here = onward(wanted, at, fn, caller.site.call, caller.site.at, caller.fn, project)
                if here is None:
                    continue
                seen.add(caller.fn)
                step = caller.fn.step(caller.site.call.span, f"`{caller.fn.qualname}` calls `{fn.qualname}`")
                weaker = _weaker(confidence, caller.confidence)
                queue.append((caller.fn, (caller.site.at, *places), (step, *steps), weaker, here))


def _is_kept_off(role: Role, fn: Fn, at: At, project: Project) -> bool:
    """Whether the interpreter, which passes nothing to destructors and exit callbacks, does not come to the place."""
    if role.kind == "atexit":
        made = [r for r in project.roles.registrations() if r.callback.role == "atexit" and fn in r.targets]
        if any(len(registration.site.call.args) != 1 for registration in made):
            return False
    return role.kind in ("atexit", "del") and is_ruled_out(at, fn, Call(UNKNOWN, (), fn.facts.span), project)


def _leads_out(caller: Caller, fn: Fn, at: At, project: Project) -> bool:
    """Whether the place in ``fn`` can be reached by this call, and what is raised there leaves the caller."""
    if is_caught(caller.site.at, "SystemExit") or _is_wrapped(caller.fn, project):
        return False
    if fn.facts.is_async and not caller.site.awaited:
        return False
    return not is_ruled_out(at, fn, caller.site.call, project, caller.fn)


def _is_wrapped(fn: Fn, project: Project) -> bool:
    """Whether a decorator of the project's own catches exit requests around the function."""
    scope = fn.parent or fn
    decorators = (v.fn for d in fn.facts.decorators for v in _decorating(d, scope, project) if isinstance(v, Function))
    return any(catches_within(decorator, project) for decorator in decorators)


def _decorating(decorator: Expr, scope: Fn, project: Project) -> Values:
    return project.evaluate.values(decorator.func if isinstance(decorator, Call) else decorator, scope)


def catches_within(fn: Fn, project: Project) -> bool:
    """Whether the function, or one nested in it, has a handler for SystemExit around a call."""
    inside = [inner for inner in project.functions(fn.module) if inner is fn or fn in _scopes(inner)]
    return any(is_caught(site.at, "SystemExit") for inner in inside for site in inner.sites)


def _scopes(fn: Fn) -> Iterator[Fn]:
    while fn.parent is not None:
        yield fn.parent
        fn = fn.parent


def _weaker(left: Confidence, right: Confidence) -> Confidence:
    return "proven" if left == right == "proven" else "likely"
