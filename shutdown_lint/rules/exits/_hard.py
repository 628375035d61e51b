"""What the rules on hard ends of a process share: where they are meant, what they lose, what the finding says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Const, Expr, If, Name, Try
from shutdown_lint.findings import Confidence, Finding, Fix, Step, Tier
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.conditions import comes_to
from shutdown_lint.project.endings import of_block
from shutdown_lint.project.forks import in_child, side_of
from shutdown_lint.project.resources import STOP_METHODS
from shutdown_lint.project.roles import TEST_MODULE, Registration, Role, is_test
from shutdown_lint.project.stakes import Path, around, at_stake, upwards
from shutdown_lint.rules._exitable import holds_up, swallows
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.exits._own_number import is_kept_apart, knows_a_fork
from shutdown_lint.walk import At, Site, last_name, sites, subexprs, text

CHILD_ROLES = ("process", "pool-process")
HANDLER_ROLES = ("signal-handler", "loop-signal-callback")
_WATCHES = re.compile(
    r"watch_?dog|(watch|monitor|check|poll)_?parent|immediate|parent_?(watch|alive|poll|monitor|check)|dead_?man|stuck|hang|hung|force|panic|emergency",
    re.IGNORECASE,
)
# the name of a function, or of an option around the place, that says what is left out
_SAYS_SO = re.compile(
    r"simulat|inject|(?:^|_)(?:for|on)_(?:fault|crash)|(no|skip|without)_?(clean_?up|exit_?handlers|finali[sz]ation|atexit)|(hard|fast|quick|abrupt|unclean|instant)_?(exit|quit|stop|shutdown|kill)",
    re.IGNORECASE,
)
_RUNS_CHILD = ("subprocess.run", "subprocess.call")
_PARENT = ("os.getppid", "psutil.pid_exists", "os.getpgid", "multiprocessing.parent_process")


def is_right(site: Site, fn: Fn, project: Project) -> bool:
    """Whether a hard end is right here: a forked child, a parent that hands on to it, a second signal, a test."""
    if is_test(fn) or _is_second_signal(site.at, fn, project):
        return True
    if side_of(site.at, fn, project) is not None or in_child(fn, project) or project.roles.only(fn, "test"):
        return True
    return _is_registered_in_child(fn, project) or knows_a_fork(site, fn) or is_kept_apart(site, fn, project)


def has_signalled_itself(site: Site, fn: Fn, project: Project) -> bool:
    """Behind ``os.kill(os.getpid(), signum)``, which has ended the process where that takes it."""
    return any(
        project.calls.is_call_to(inner.call, fn, "signal.raise_signal")
        or (
            project.calls.is_call_to(inner.call, fn, "os.kill")
            and any(isinstance(arg.value, Call) and last_name(arg.value.func) == "getpid" for arg in inner.call.args)
        )
        for inner in _called_before(site)
    )


def _called_before(site: Site) -> Iterator[Site]:
    """The calls that stand before the place, in its block or in those around it."""
    return (inner for place in site.at.around() for inner in sites(place.before()))


def _is_registered_in_child(fn: Fn, project: Project) -> bool:
    """Whether only the child of a fork hands the function on: ``atexit.register(lambda: os._exit(0))`` in its branch."""
    made = [registration for registration in project.roles.registrations() if fn in registration.targets]
    return bool(made) and all(side_of(r.site.at, r.fn, project) == "child" for r in made)


def meant(site: Site, fn: Fn, project: Project) -> str | None:
    """What a hard end on purpose looks like: a watchdog, a child process's own end, cleanup done by hand."""
    if "_run_exitfuncs" in fn.mentions and _exit_callbacks_run(site):
        return "meant, the exit callbacks were run by hand"
    if _has_replaced_itself(site, fn, project):
        return "meant as the end of a process that has started its replacement"
    if _SAYS_SO.search(fn.name) or any(_SAYS_SO.search(name) for name in _options(site.at)):
        return "meant as an end without cleanup, by its name"
    if _is_watchdog(site, fn, project):
        return "meant as a watchdog that ends a stuck process"
    kinds = {role.kind for role in _roles(fn, project)}
    if kinds and (kinds <= set(CHILD_ROLES) or (kinds <= set(HANDLER_ROLES) and _is_childs_handler(fn, project))):
        return "meant as the end of a child process"
    if _gives_childs_status(site, fn, project):
        return "meant as the end of a wrapper, with the status of the program that it ran"
    return None


def _gives_childs_status(site: Site, fn: Fn, project: Project) -> bool:
    """``done = subprocess.run(command); os._exit(done.returncode)``: the other program did the work, and cleaned up after it."""
    given = site.call.args[0].value if site.call.args else None
    runs = [s for s in fn.sites if project.calls.is_call_to(s.call, fn, *_RUNS_CHILD)] if given is not None else []
    before = [s for s in runs if s.call.span.line < site.call.span.line]
    return bool(before) and "returncode" in fn.mentions and not isinstance(given, Const)


def _options(at: At) -> Iterator[str]:
    """The names and texts in the conditions under which the place stands: ``if opts.get("no_cleanup"):``."""
    for place in at.around():
        outer = place.outer.stmt if place.outer is not None and place.part == "body" else None
        for part in subexprs(outer.test) if isinstance(outer, If) else ():
            if isinstance(part, Const):
                yield str(part.value)
            elif isinstance(part, (Attr, Name)):
                yield part.name if isinstance(part, Attr) else part.id


def _is_childs_handler(fn: Fn, project: Project) -> bool:
    """Whether only functions that run as child processes install the handler."""
    made = [r.fn for r in project.roles.registrations() if fn in r.targets and r.callback.role in HANDLER_ROLES]
    return bool(made) and all(project.roles.only(maker, *CHILD_ROLES) for maker in made)


def _is_last_resort(site: Site, fn: Fn, lost: tuple[Step, ...]) -> str | None:
    """In a stop that has failed, or behind one that can leave nothing but threads: it has tried to end in order."""
    if fn.name not in STOP_METHODS:
        return None
    tried = any(isinstance(stmt, Try) for place in site.at.around() for stmt in place.before())
    failed = any(place.part == "handler" for place in site.at.around())
    return "meant as the last resort of a stop" if failed or (tried and all(map(_is_thread, lost))) else None


def _leaves_jobs(site: Site, lost: tuple[Step, ...]) -> str | None:
    """At Ctrl-C, with nothing but threads and their jobs to lose: an exit request would wait for all of them."""
    interrupted = any(place.part == "handler" and "KeyboardInterrupt" in _types(place) for place in site.at.around())
    jobs = all(_is_thread(step) or "ThreadPoolExecutor(" in step.text for step in lost)
    return "meant not to wait for threads at Ctrl-C" if interrupted and lost and jobs else None


def _is_written_out(site: Site, lost: tuple[Step, ...]) -> str | None:
    """Behind a ``flush()`` of the standard streams, with nothing but threads to lose: who flushes knows what the exit skips."""
    flushed = any(last_name(inner.call.func) == "flush" for inner in _called_before(site))
    return "meant not to wait for threads, behind a flush" if flushed and lost and all(map(_is_thread, lost)) else None


def _is_thread(step: Step) -> bool:
    return step.text.startswith(("thread ", "timer "))


def _exit_callbacks_run(site: Site) -> bool:
    return any(
        isinstance(inner.call.func, Attr) and inner.call.func.name == "_run_exitfuncs" for inner in _called_before(site)
    )


def _is_second_signal(at: At, fn: Fn, project: Project) -> bool:
    """At an interrupt during an interrupt; or in a signal handler under a test, or behind a branch that leaves."""
    interrupts = [place for place in at.around() if place.part == "handler" and "KeyboardInterrupt" in _types(place)]
    if len(interrupts) >= 2:
        return True
    if not project.roles.only(fn, *HANDLER_ROLES, "test"):
        return False
    made = [r for r in project.roles.registrations() if fn in r.targets and r.callback.role in HANDLER_ROLES]
    if made and all(_is_under_way(r.site.at) for r in made):
        return True
    if _is_conditional(at, fn, project):
        return True
    callers = [c for c in project.calls.callers(fn) if project.roles.only(c.fn, *HANDLER_ROLES)]
    return bool(callers) and all(_is_conditional(caller.site.at, caller.fn, project) for caller in callers)


def _is_under_way(at: At) -> bool:
    """Whether the program is ending when it comes to the place: a handler that is put in there sees a second signal."""
    return any(
        place.part == "final" or (place.part == "handler" and "KeyboardInterrupt" in _types(place))
        for place in at.around()
    )


def _is_conditional(at: At, fn: Fn, project: Project) -> bool:
    branch = next((place.outer.stmt for place in at.around() if place.outer and isinstance(place.outer.stmt, If)), None)
    return (branch is not None and not _asks_number(branch.test, fn)) or _stands_behind_a_way_out(at, fn, project)


def _has_replaced_itself(site: Site, fn: Fn, project: Project) -> bool:
    """Right behind the start of a program, or in the handler of an ``exec`` that failed.

    A start of the same program, ``Popen([sys.executable, *sys.argv])``, may stand further up.
    """
    place = site.at
    before = place.before() if {"executable", "argv"} <= fn.mentions else place.before()[-1:]
    if place.outer is not None and isinstance(place.outer.stmt, Try) and place.part == "handler":
        before = (*before, *place.outer.stmt.body)
    names = (name for inner in sites(before) for name in project.calls.external(inner.call, fn))
    return any(
        name == "subprocess.Popen" or name.startswith(("os.exec", "os.spawn", "os.posix_spawn")) for name in names
    )


def _stands_behind_a_way_out(at: At, fn: Fn, project: Project) -> bool:
    """``if not self.stopping: …; return`` before the place."""
    earlier = (stmt for place in at.around() for stmt in place.before() if isinstance(stmt, If))
    return any(
        ending.kind == "return"
        for stmt in earlier
        if not _asks_number(stmt.test, fn)
        for ending in of_block(stmt.body, fn, project)
    )


def _types(place: At) -> str:
    return text(place.handler.types) if place.handler else ""


def _asks_number(test: Expr, fn: Fn) -> bool:
    """``signum == signal.SIGTERM`` does not tell a second signal from a first one."""
    first = next((param.name for param in fn.facts.params if param.name not in ("self", "cls")), None)
    return any(getattr(operand, "id", "") == first for operand in getattr(test, "operands", (test,)))


def _is_watchdog(site: Site, fn: Fn, project: Project) -> bool:
    """In a thread or timer that waits, watches its parent or says so by its name."""
    if _WATCHES.search(fn.qualname):
        return True
    if project.roles.role(fn, "timer") is not None:
        return True
    if project.roles.role(fn, "thread") is None:
        return False
    return any(_waits_or_watches(inner, fn, project) for inner in fn.sites)


def _waits_or_watches(site: Site, fn: Fn, project: Project) -> bool:
    wait = project.protocol.wait(site, fn)
    return (wait is not None and wait.bounded) or any(name in _PARENT for name in project.calls.external(site.call, fn))


def finding(
    rule: Rule,
    site: Site,
    fn: Fn,
    project: Project,
    action: str,
    help: str,
    fix: Fix | str | None = None,
    unsure: Tier = "S",
    beside: Tier | None = None,
) -> Finding:
    """The finding for a hard end: at the rule's tier with a named loss, at ``unsure`` without one, a preview where it looks meant.

    At ``beside`` where all that is lost are threads, timers and processes.
    """
    role = _role(site, fn, project)
    lost = at_stake(site.at, fn, project)
    why = (
        meant(site, fn, project)
        or _is_last_resort(site, fn, lost)
        or _leaves_jobs(site, lost)
        or _is_written_out(site, lost)
    )
    trace = role.steps if role is not None else ()
    if why is not None:
        message = f"`{text(site.call)}` {action}; it looks {why}"
        reason = f"it looks {why}"
        return rule.finding(
            fn.module, site.call.span, message, tier="P", severity="info", lost=lost, trace=trace, help=help, fix=reason
        )
    if not lost:
        message = f"`{text(site.call)}` {action}: no `finally`, `with`, exit callback or buffer of it gets its turn"
        return rule.finding(
            fn.module, site.call.span, message, tier=unsure, severity="warning", trace=trace, help=help, fix=fix
        )
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    message = f"`{text(site.call)}` {action} and loses {lost[0].text}{more}"
    sure = _confidence(site, fn, role, project)
    shown = _trace(trace, fn, project)
    only_beside = all(_is_thread(step) or step.text.startswith(("process ", "`ThreadPoolExecutor(")) for step in lost)
    return rule.finding(
        fn.module,
        site.call.span,
        message,
        tier=beside if only_beside else None,
        confidence=sure,
        lost=lost,
        trace=shown,
        help=help,
        fix=fix,
    )


def obstacle(site: Site, fn: Fn, project: Project) -> str:
    """Why an exit request in its place would not do the same and no more; empty where nothing is known against it."""
    if not project.roles.only(fn, "main"):
        return "it is not known to run in the main thread of a program only"
    if fn.facts.is_async:
        return "it stands in a coroutine"
    return swallows(site.at, fn, project) or holds_up(project)


def registered_finding(rule: Rule, registration: Registration, help: str) -> Finding:
    """The finding for a hard exit that is registered itself as an exit callback."""
    fn, call = registration.fn, registration.site.call
    lost = fn.step(call.span, "the exit code and the callbacks registered before")
    message = f"`{text(call)}` makes the program end without unwinding and loses {lost.text}"
    return rule.finding(fn.module, call.span, message, lost=(lost,), help=help)


def _roles(fn: Fn, project: Project) -> list[Role]:
    """The roles that the program itself gives the function."""
    tests = {entry.facts.path for entry in project.modules if TEST_MODULE.search(entry.facts.name)}
    return [role for role in project.roles.of(fn) if role.steps and role.steps[0].path not in tests]


def _role(site: Site, fn: Fn, project: Project) -> Role | None:
    """The role whose path the finding shows: the program itself before helpers, never one that only a test makes.

    Nor one whose calls, or whose registration, keep it from the place.
    """
    order = ("main", "signal-handler", "thread", "timer", "pool-thread")
    paths = {path.fn: path for path in upwards(site.at, fn, project)}
    roles = (
        role
        for role in _roles(fn, project)
        if role.seed in paths and _comes_here(role, paths[role.seed], site, project)
    )
    return min(roles, key=lambda role: order.index(role.kind) if role.kind in order else len(order), default=None)


def _comes_here(role: Role, path: Path, site: Site, project: Project) -> bool:
    return comes_to(role, path.wanted, path.site.at if path.site is not None else site.at, path.fn, project)


def _confidence(site: Site, fn: Fn, role: Role | None, project: Project) -> Confidence:
    """Proven where the loss stands around the place itself; else as sure as the way to the place."""
    if any(True for _ in around(site.at, fn, project)):
        return "proven"
    if role is not None:
        return role.confidence
    return "likely" if any(path.confidence == "likely" for path in upwards(site.at, fn, project)) else "proven"


def _trace(steps: tuple[Step, ...], fn: Fn, project: Project) -> tuple[Step, ...]:
    """The path of the role, or where nobody is known to run the function, its nearest caller."""
    callers = project.calls.callers(fn)[:1]
    return steps or tuple(c.fn.step(c.site.call.span, f"`{c.fn.qualname}` calls `{fn.qualname}`") for c in callers)
