"""What a function's parameters must be for a place in it to be reached, followed to those who call the function.

``def leave(code, in_thread=False): if in_thread: …; return`` comes to its end only for calls that do not set the flag, and
a caller that passes a flag of its own on hands the question on to its callers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from shutdown_lint.facts import UNKNOWN, Arg, Body, Call, Const, Expr, If, Name, Op, Raise, Return, Seq
from shutdown_lint.project.handles import Fn
from shutdown_lint.project.settled import given
from shutdown_lint.walk import At, argument, has_star

if TYPE_CHECKING:
    from shutdown_lint.project import Project
    from shutdown_lint.project.roles import Registration, Role

# who hand on what follows the function; by which keyword those take it that get its arguments in a tuple
_PASS_ON = (".submit", ".to_thread", ".run_in_executor", "atexit.register")
_PACKED = ("target", "function")


def needed(at: At, fn: Fn) -> dict[str, bool]:
    """The parameters of the function that decide on the place, with the truth of each that lets it be reached."""
    params = {param.name for param in fn.facts.params}
    return {name: holds for name, holds in _asked_around(at) if name in params} if params else {}


def _asked_around(at: At) -> Iterator[tuple[str, bool]]:
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None else None
        if isinstance(outer, If) and place.part in ("body", "orelse"):
            yield from _asked(outer.test, place.part == "body")
        for stmt in place.before():
            if isinstance(stmt, If) and not stmt.orelse and _leaves(stmt.body):
                yield from _asked(stmt.test, False)


def _asked(test: Expr, holds: bool) -> Iterator[tuple[str, bool]]:
    """The names whose truth follows where a test is known to hold, or not to."""
    if isinstance(test, Name):
        yield test.id, holds
    elif isinstance(test, Op) and test.op == "not":
        yield from _asked(test.operands[0], not holds)
    elif isinstance(test, Op) and test.op == ("and" if holds else "or"):
        for operand in test.operands:
            yield from _asked(operand, holds)


def _leaves(body: Body) -> bool:
    return bool(body) and isinstance(body[-1], (Return, Raise))


def onward(
    wanted: Mapping[str, bool], at: At, fn: Fn, call: Call, here: At | None, caller: Fn | None, project: Project
) -> dict[str, bool] | None:
    """What the parameters of the caller must be for the place in ``fn`` to be reached by the call at ``here``.

    None where the call's literal arguments, or the defaults that it leaves, keep it from the place.
    """
    found = needed(here, caller) if here is not None and caller is not None else {}
    for name, holds in wanted.items():
        value = given(name, fn, call, project, at)
        if isinstance(value, Const) and bool(value.value) != holds:
            return None
        if isinstance(value, Name) and any(arg.value is value for arg in call.args):
            if found.setdefault(value.id, holds) != holds:
                return None
    return found


def comes_to(role: Role, wanted: Mapping[str, bool], at: At, fn: Fn, project: Project) -> bool:
    """Whether the function comes to the place in the role that its registrations give it."""
    asked = wanted or any(True for _ in _asked_around(at))
    made = (
        [r for r in project.roles.registrations() if r.callback.role == role.kind and fn in r.targets] if asked else ()
    )
    return not made or any(
        reached_as_registered(r, wanted, at, fn, project) and not is_closed_off(r, at, fn) for r in made
    )


def is_closed_off(registration: Registration, at: At, fn: Fn) -> bool:
    """Whether it is handed over under the contrary of what the place asks: ``if not qt: Thread(target=show)``, ``if qt:`` inside.

    Of names only that the function has from the one around it, which hands it over.
    """
    scope = fn.parent
    while scope is not None and scope is not registration.fn:
        scope = scope.parent
    if scope is None or scope.is_module:
        return False
    there = dict(_asked_around(registration.site.at))
    return any(name not in fn.bindings and there.get(name, holds) != holds for name, holds in _asked_around(at))


def reached_as_registered(
    registration: Registration, wanted: Mapping[str, bool], at: At, fn: Fn, project: Project
) -> bool:
    """Whether what is handed over along with the function lets it come to the place: ``Thread(target=f, args=(True,))``."""
    call = as_called(registration)
    return call is None or onward(wanted, at, fn, call, None, None, project) is not None


def as_called(registration: Registration) -> Call | None:
    """The call by which the function runs; None where it is not known what it is given."""
    site, handed = registration.site.call, registration.argument
    position = next((n for n, arg in enumerate(site.args) if arg.value is handed), None)
    if position is None or isinstance(handed, Call) or has_star(site) or argument(site, 99, "kwargs") is not None:
        return None
    behind = site.args[position + 1 :]
    if registration.callback.call.endswith(_PASS_ON):
        return Call(UNKNOWN, behind, site.span)
    if registration.callback.keyword not in _PACKED:
        return None
    args = argument(site, 99, "args")
    if args is None:
        return Call(UNKNOWN, (), site.span) if all(arg.keyword is not None for arg in behind) else None
    items = args.items if isinstance(args, Seq) and args.kind in ("tuple", "list") else None
    return Call(UNKNOWN, tuple(Arg(item, None, "") for item in items), site.span) if items is not None else None
