"""A thread or child process fails, the main program joins it and ends with exit code 0.

## What it does
Reports, at the strict tier, a thread or process whose function raises an exception that nothing catches, where the main
program joins it, asks nothing and runs to its normal end.

## Why it matters
An exception ends only its thread, with a traceback on stderr. The exit code of the program stays 0: the scheduler, the CI job,
the `&&` in a shell script take the failed run for a good one.

## Example
```python
import threading


def check(rows):
    for row in rows:
        if not row:
            raise ValueError("empty row")


def main():
    checking = threading.Thread(target=check, args=(["a", ""],))
    checking.start()
    print("checking")
    checking.join()


if __name__ == "__main__":
    main()
```

## Use instead
```python
from concurrent.futures import ThreadPoolExecutor


def check(rows):
    for row in rows:
        if not row:
            raise ValueError("empty row")


def main():
    with ThreadPoolExecutor(1) as pool:
        checking = pool.submit(check, ["a", ""])
        print("checking")
        checking.result()


if __name__ == "__main__":
    main()
```

## Precision
Only exceptions that are written down (`raise`) count. Silent where `threading.excepthook` is set, where the exit code or any
other state of the worker is read, where a branch, a `raise` or an exit stands behind the join, and where the worker tells
somebody right before it raises.

## References
- [threading.excepthook](https://docs.python.org/3/library/threading.html#threading.excepthook)
- [Process.exitcode](https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.exitcode)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Call, Const, ModuleFacts, Raise, Return, Stmt, Try, With
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.afterwards import follows, program_ends_after
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.tracks import Track, Use
from shutdown_lint.rules.base import Rule
from shutdown_lint.walk import At, sites, text, walk

RULE = Rule(
    code="SHD110",
    name="exit-code-lost",
    summary="a worker fails, and the main program joins it and ends with exit code 0",
    tier="S",
    severity="warning",
    triggers=("Thread", "Process"),
    origin=("G7",),
)
HELP = "run it in an executor and call `future.result()`, or hand the exception to the main thread and exit there with its code"
MAX_DEPTH = 3
_MODELS = ("threading.Thread", "multiprocessing.Process")
_PLAIN_USES = frozenset({"start", "join", "daemon", "name", "setDaemon", "getName", "setName"})
_TELLS = frozenset(
    {"append", "put", "put_nowait", "set", "set_exception", "send", "interrupt_main", "kill", "add", "write"}
)
_NO_FAILURE = frozenset({"NotImplementedError", "SystemExit", "StopIteration", "KeyboardInterrupt", "GeneratorExit"})


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """Look at every thread and process that the module starts."""
    if any(not is_test(fn) for fn in project.calls.mentioning("excepthook")):
        return
    for fn in project.functions(module):
        for acquisition in project.resources.of_function(fn) if not is_test(fn) else ():
            if acquisition.model.name in _MODELS:
                yield from _judge(module, acquisition, project)


def _judge(module: ModuleFacts, acquisition: Acquisition, project: Project) -> Iterator[Finding]:
    track = project.resources.track(acquisition)
    if track.escaped or not project.resources.started(acquisition) or _is_watched(track):
        return
    join = next((use for use in track.methods("join") if _ends_well(use, project)), None)
    if join is None:
        return
    for body in project.resources.bodies(acquisition):
        failing = _fails(body, project, 0)
        if failing is not None:
            yield _finding(module, acquisition, join, body, *failing)
            return


def _is_watched(track: Track) -> bool:
    """Whether anything but its start and its end is looked at."""
    return any(use.kind in ("method", "read", "await", "with") and use.name not in _PLAIN_USES for use in track.uses)


def _ends_well(use: Use, project: Project) -> bool:
    """Whether the program runs to its normal end behind the join, without any question."""
    if project.roles.role(use.fn, "main") is None or is_test(use.fn):
        return False
    if any(place.outer is not None and isinstance(place.outer.stmt, Try) for place in use.site.at.around()):
        return False
    asks = any(_asks(stmt) for stmt, _ in follows(use.site.at, use.fn, project))
    return not asks and program_ends_after(use.site.at, use.fn, project, may_wait=True)


def _asks(stmt: Stmt) -> bool:
    """A branch, a failure, an exit, or a result that may be no success."""
    for at in walk((stmt,)):
        if type(at.stmt).__name__ in ("If", "Raise", "Match", "Assert", "Try"):
            return True
        if isinstance(at.stmt, Return) and not _is_success(at.stmt):
            return True
    return any(
        getattr(site.call.func, "name", getattr(site.call.func, "id", "")) in ("exit", "_exit")
        for site in sites((stmt,))
    )


def _is_success(stmt: Return) -> bool:
    return stmt.value is None or (isinstance(stmt.value, Const) and stmt.value.value in (None, 0))


def _fails(fn: Fn, project: Project, depth: int) -> tuple[Fn, Raise] | None:
    """A `raise` that leaves the function, its own or one of what it calls."""
    for at in fn.statements:
        if isinstance(at.stmt, Raise) and _is_failure(at.stmt) and not _is_guarded(at) and not _has_told(at):
            return fn, at.stmt
    for site in fn.sites if depth < MAX_DEPTH else ():
        if _is_guarded(site.at):
            continue
        for target in project.calls.targets(site.call, fn):
            if target.confidence == "proven" and target.fn is not fn and not target.fn.facts.is_generator:
                found = _fails(target.fn, project, depth + 1)
                if found is not None:
                    return found
    return None


def _is_failure(stmt: Raise) -> bool:
    exc = stmt.exc.func if isinstance(stmt.exc, Call) else stmt.exc
    return exc is not None and text(exc).rpartition(".")[2] not in _NO_FAILURE


def _is_guarded(at: At) -> bool:
    """In a `try` with handlers, or a `with` that may swallow or report the exception."""
    return any(
        place.outer is not None
        and place.part in ("body", "handler")
        and (
            (isinstance(place.outer.stmt, Try) and bool(place.outer.stmt.handlers))
            or isinstance(place.outer.stmt, With)
        )
        for place in at.around()
    )


def _has_told(at: At) -> bool:
    """Right behind a call that tells somebody: `errors.put(…)`, `failed.set()`."""
    return any(getattr(site.call.func, "name", "") in _TELLS for site in sites(at.before()))


def _finding(module: ModuleFacts, acquisition: Acquisition, join: Use, body: Fn, fails: Fn, failure: Raise) -> Finding:
    kind = acquisition.model.kind
    exc = failure.exc.func if isinstance(failure.exc, Call) else failure.exc
    raised = f"`raise {text(exc)}`"
    message = f"{raised} in `{fails.qualname}` ends only this {kind}: `{join.fn.qualname}` joins it and the program ends with exit code 0"
    return RULE.finding(
        module,
        acquisition.call.span,
        message,
        trace=(
            acquisition.fn.step(acquisition.call.span, f"the {kind} runs `{body.qualname}`"),
            fails.step(failure.span, f"{raised} in `{fails.qualname}`"),
            join.fn.step(join.site.call.span, f"`{join.fn.qualname}` joins it and asks nothing"),
        ),
        lost=(fails.step(failure.span, "the exit code of the failure"),),
        help=HELP,
    )
