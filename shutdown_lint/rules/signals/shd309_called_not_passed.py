"""`signal.signal(SIGTERM, cleanup())` runs `cleanup` now and installs its result: nothing.

## What it does
Reports a call in the place of a callback, where what is called surely returns None: in `signal.signal`, `add_signal_handler`,
`atexit.register`, `weakref.finalize`, `Thread(target=…)`, `Process(target=…)`, `Timer(n, …)`, `submit(…)`, `run_in_executor`,
`call_soon`, `call_later`, `add_done_callback`.

## Why it matters
The cleanup runs at once, at start-up, and not when it is needed. Then the registration fails with TypeError, or (a thread
with the target None) does nothing; a worker started so blocks the caller instead of running beside it.

## Example
```python
import atexit
import os


def remove_pid_file():
    os.unlink("service.pid")


atexit.register(remove_pid_file())
```

## Use instead
```python
import atexit
import os


def remove_pid_file():
    os.unlink("service.pid")


atexit.register(remove_pid_file)
```

## Fix safety
Safe for `atexit.register` and `signal.signal`, where the program can only fail today; the arguments of the call are handed
on where the registrar can take them. Elsewhere the code ran synchronously so far, and the fix is unsafe.

## Precision
Silent for factories (whatever returns a value), for what cannot be resolved, for functions with decorators and in tests.

## References
- [atexit.register](https://docs.python.org/3/library/atexit.html#atexit.register)
- [threading.Thread](https://docs.python.org/3/library/threading.html#threading.Thread)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import Arg, Call, ModuleFacts, Span
from shutdown_lint.findings import Finding, Fix, Step
from shutdown_lint.project import Fn, Project, values as v
from shutdown_lint.project.roles import Registration, is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.signals._callables import Callee, callee, returns_nothing, takes
from shutdown_lint.walk import text

_REGISTER = (
    "signal",
    "register",
    "finalize",
    "Timer",
    "submit",
    "run_in_executor",
    "to_thread",
    "call_soon",
    "call_soon_threadsafe",
    "call_later",
    "add_done_callback",
    "add_signal_handler",
    "Thread",
    "Process",
)
RULE = Rule(
    code="SHD309",
    name="called-not-passed",
    summary="a callback is called where it should be passed",
    tier="D",
    severity="error",
    triggers=(
        *(rf"re:{name}\s*\([^)]*\(" for name in _REGISTER),
        r"re:target\s*=\s*[\w.\[\]]+\s*\(",
        r"re:function\s*=\s*[\w.\[\]]+\s*\(",
        *(rf"{name} & re:import[^\n]*\b{name}\s+as\b" for name in _REGISTER),
        r"executor & re:\.map\([^)]*\(",
    ),
    fix="safe",
    origin=("G1",),
)

_FAILS = frozenset({"signal.signal", "atexit.register"})
_FIXABLE = _FAILS | {
    "weakref.finalize",
    "asyncio.AbstractEventLoop.add_signal_handler",
    "threading.Thread",
    "threading.Timer",
    "multiprocessing.Process",
    "concurrent.futures.ThreadPoolExecutor.submit",
    "concurrent.futures.ProcessPoolExecutor.submit",
}
# What these return is no callback: None, or nothing at all since they do not come back.
_NOTHING = frozenset(
    {
        "builtins.print",
        "builtins.exit",
        "builtins.quit",
        "sys.exit",
        "os._exit",
        "os.abort",
        "os.unlink",
        "os.remove",
        "os.kill",
        "os.killpg",
        "os.close",
        "shutil.rmtree",
        "time.sleep",
        "logging.shutdown",
        "logging.info",
        "logging.warning",
        "logging.error",
        "threading.Event.set",
        "threading.Thread.start",
        "threading.Thread.join",
        "subprocess.Popen.terminate",
        "subprocess.Popen.kill",
        "tempfile.TemporaryDirectory.cleanup",
        "socketserver.BaseServer.serve_forever",
        "socketserver.BaseServer.shutdown",
        "socketserver.BaseServer.server_close",
        "socket.socket.close",
        "asyncio.Event.set",
        "asyncio.AbstractEventLoop.stop",
        "asyncio.AbstractEventLoop.close",
        "asyncio.AbstractEventLoop.run_forever",
        "multiprocessing.Process.start",
        "multiprocessing.Process.terminate",
        "concurrent.futures.ThreadPoolExecutor.shutdown",
        "concurrent.futures.ProcessPoolExecutor.shutdown",
    }
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The calls of the module in the place of a callback."""
    seen: set[Span] = set()
    for fn in project.functions(module):
        for site in fn.sites if not is_test(fn) else ():
            if not any(isinstance(arg.value, Call) for arg in site.call.args):
                continue
            for registration in project.roles.at(site, fn):
                argument = registration.argument
                if isinstance(argument, Call) and argument.span not in seen and _gives_nothing(argument, fn, project):
                    seen.add(argument.span)
                    yield _finding(registration, argument, project)


def _gives_nothing(call: Call, fn: Fn, project: Project) -> bool:
    names = project.calls.external(call, fn)
    if names:
        return all(name in _NOTHING for name in names)
    values = project.evaluate.values(call.func, fn)
    targets = project.calls.targets(call, fn)
    return (
        bool(targets)
        and all(isinstance(value, v.Function) for value in values)
        and all(returns_nothing(t.fn) for t in targets)
    )


def _finding(registration: Registration, call: Call, project: Project) -> Finding:
    fn, name = registration.fn, registration.callback.call
    registrar = text(registration.site.call.func)
    effect = "TypeError follows" if name in _FAILS else f"`{registrar}` gets None"
    message = f"`{text(call)}` runs here and now, and {effect}: pass `{text(call.func)}` itself"
    targets = project.calls.targets(call, fn)
    trace = tuple(_returns(target.fn) for target in targets[:1])
    return RULE.finding(
        fn.module,
        call.span,
        message,
        trace=trace,
        help=_help(registration, call),
        fix=_fix(registration, call, project),
    )


def _returns(fn: Fn) -> Step:
    return fn.step(fn.facts.span, f"`{fn.qualname}` returns None")


def _help(registration: Registration, call: Call) -> str:
    if not call.args:
        return f"leave out the parentheses: `{text(call.func)}`"
    return f"pass `{text(call.func)}` and its arguments separately, or a `functools.partial`"


def _fix(registration: Registration, call: Call, project: Project) -> Fix | str:
    name = registration.callback.call
    if name not in _FIXABLE or not all(_is_given_once(arg) for arg in call.args):
        return "the arguments cannot be handed on"
    if name == "signal.signal" and not _is_handler(call, registration.fn, project):
        return f"`{text(call.func)}` cannot take the two arguments of a handler"
    applicability = "safe" if name in _FAILS else "unsafe"
    return Fix(applicability, f"pass `{text(call.func)}` instead of its result", "shd309", (("registrar", name),))  # type: ignore[arg-type]  # a str of two literals


def _is_given_once(arg: Arg) -> bool:
    return not arg.star and not isinstance(arg.value, Call)


def _is_handler(call: Call, fn: Fn, project: Project) -> bool:
    called = [callee(value, project) for value in project.evaluate.values(call.func, fn)]
    return bool(called) and not call.args and all(isinstance(c, Callee) and takes(c, 2) for c in called)
