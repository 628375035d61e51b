"""Milliseconds are given to a wait that takes seconds (or the reverse), on the way out.

## What it does
Reports names such as `timeout_ms` or `grace_millis` handed as they are to a limit in seconds, and names such as
`timeout_seconds` handed to a parameter `…_ms`, in functions that stop something.

## Why it matters
A limit of 5000 seconds is no limit: the shutdown hangs until it is killed. A limit of five milliseconds gives nobody time to
end, and their work is cut off.

## Example
```python
import threading


class Poller:
    def __init__(self, grace_ms):
        self._grace_ms = grace_ms
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._stop.wait)

    def start(self):
        self._thread.start()

    def close(self):
        self._stop.set()
        self._thread.join(self._grace_ms)
```

## Use instead
```python
import threading


class Poller:
    def __init__(self, grace_ms):
        self._grace_ms = grace_ms
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._stop.wait)

    def start(self):
        self._thread.start()

    def close(self):
        self._stop.set()
        self._thread.join(self._grace_ms / 1000)
```

## Precision
Goes by names, therefore a preview. Silent where there is any arithmetic, for what is converted when it is stored, and outside of
functions that stop something.

## References
- [Thread.join](https://docs.python.org/3/library/threading.html#threading.Thread.join)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Attr, Call, Expr, ModuleFacts, Name, Op, Unknown
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.scopes import Value
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.waits._stops import may_be_on_way_out, way_out
from shutdown_lint.walk import Site, argument, text

RULE = Rule(
    code="SHD415",
    name="timeout-unit",
    summary="milliseconds given where seconds are taken, on the way out",
    tier="P",
    severity="warning",
    triggers=("_ms", "milli", "_msec", "_MS"),
    origin=("G13",),
)

_MILLIS = re.compile(r"(^|_)(?i:ms|msecs?|millis|milliseconds?)$|[a-z](Ms|Millis)$")
_SECONDS = re.compile(r"(^|_)(secs?|seconds?)$", re.IGNORECASE)
_ALSO = {"asyncio.wait_for": (1, "timeout"), "asyncio.timeout": (0, "delay"), "asyncio.wait": (1, "timeout")}


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The limits of the module in functions that stop something."""
    for fn in project.functions(module):
        for site in fn.sites if any(_MILLIS.search(word) for word in _words(fn)) else ():
            if may_be_on_way_out(fn, site.at, project):
                yield from _judge(site, fn, project)


def _words(fn: Fn) -> Iterator[str]:
    yield from fn.mentions
    yield from (arg.keyword for site in fn.sites for arg in site.call.args if arg.keyword is not None)


def _judge(site: Site, fn: Fn, project: Project) -> Iterator[Finding]:
    found = _long(site, fn, project) or _short(site)
    if found is None:
        return
    out = way_out(fn, site.at, project)
    if out is not None:
        given, message, mend = found
        yield RULE.finding(
            fn.module,
            site.call.span,
            f"`{text(given)}` is in {message}",
            confidence="likely",
            trace=out.steps,
            help=mend,
        )


def _long(site: Site, fn: Fn, project: Project) -> tuple[Expr, str, str] | None:
    """Milliseconds as a limit in seconds."""
    given = _limit(site, fn, project)
    if given is None or not _MILLIS.search(_word(given)) or _is_converted(given, fn, project):
        return None
    message = f"milliseconds, but `{text(site.call.func)}` takes seconds: the limit is a thousand times too long"
    return given, message, f"divide it: `{text(given)} / 1000`"


def _short(site: Site) -> tuple[Expr, str, str] | None:
    """Seconds as a limit in milliseconds."""
    for arg in site.call.args:
        if arg.keyword is not None and _MILLIS.search(arg.keyword) and _SECONDS.search(_word(arg.value)):
            message = f"seconds, but `{arg.keyword}` of `{text(site.call.func)}` takes milliseconds: the limit is a thousand times too short"
            return arg.value, message, f"multiply it: `{arg.keyword}={text(arg.value)} * 1000`"
    return None


def _limit(site: Site, fn: Fn, project: Project) -> Expr | None:
    """The limit that a wait is given."""
    if not any(_MILLIS.search(_word(arg.value)) for arg in site.call.args):
        return None
    for name, (position, keyword) in _ALSO.items():
        if project.calls.is_call_to(site.call, fn, name):
            return argument(site.call, position, keyword)
    wait = project.protocol.wait(site, fn)
    if wait is None:
        return None
    if wait.model.call.endswith(".sleep"):
        return argument(site.call, 0, "secs")
    position = wait.model.position if wait.model.position >= 0 else 99
    return argument(site.call, position, wait.model.timeout or "\0")


def _word(expr: Expr) -> str:
    return expr.name if isinstance(expr, Attr) else expr.id if isinstance(expr, Name) else ""


def _is_converted(given: Expr, fn: Fn, project: Project) -> bool:
    """Whether what is stored under the name comes from arithmetic, a float or a call: then the name may be old."""
    if isinstance(given, Name):
        sources = [b.expr for b in fn.bindings.get(given.id, ()) if isinstance(b, Value)]
    else:
        owner = project.classes.enclosing(fn)
        writes = project.classes.writes(owner, _word(given)) if owner is not None else ()
        sources = [write.value for write in writes if write.value is not None]
    return any(
        isinstance(source, (Op, Unknown, Call)) or isinstance(getattr(source, "value", None), float)
        for source in sources
    )
