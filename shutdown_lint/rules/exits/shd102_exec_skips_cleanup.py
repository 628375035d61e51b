"""`os.exec*` replaces the process at once: what this program still had to clean up is lost.

## What it does
Reports calls of `os.execv` and its kin where cleanup of the same process is at stake: `with` and `finally` blocks around
the call or around the calls that lead to it, callbacks registered with `atexit` or `weakref.finalize`, temporary folders,
files with unwritten buffers, live threads and children. The finding names each of them with its place.

## Why it matters
The new program takes the place of the old one: nothing is unwound, no exit callback runs, buffers are thrown away. Lock
files and temporary folders stay, and the new program finds them there when it starts.

## Example
```python
import os
import sys


def restart(lock_path: str) -> None:
    with open(lock_path, "w") as lock:
        lock.write("restarting")
        os.execv(sys.executable, [sys.executable, *sys.argv])
```

## Use instead
```python
import os
import sys


def restart(lock_path: str) -> None:
    with open(lock_path, "w") as lock:
        lock.write("restarting")
    os.execv(sys.executable, [sys.executable, *sys.argv])
```

## Precision
Silent in forked children, in functions given as `preexec_fn`, in tests, where nothing is proven to be lost, and for what
is at stake elsewhere when cleanup calls stand before the `exec` (only `with` and `finally` around the call itself count
then).

## References
- [os.execv](https://docs.python.org/3/library/os.html#os.execl): "the current process is replaced immediately. Open file
  objects and descriptors are not flushed"
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import Attr, ModuleFacts, Name
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.stakes import around, at_stake
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.exits._hard import finding, is_right
from shutdown_lint.walk import Site, sites

RULE = Rule(
    code="SHD102",
    name="exec-skips-cleanup",
    summary="`os.exec*` where cleanup of the process is at stake",
    tier="D",
    severity="error",
    triggers=(r"exec & re:exec[lv]p?e?\b",),
    origin=("G5",),
)
HELP = "leave the blocks first and call `os.exec*` behind them, or end by `sys.exit` and let a supervisor start the program again"
EXECS = tuple(f"os.{name}" for name in ("execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe"))
_LASTS = frozenset(name.rpartition(".")[2] for name in EXECS)
_CLEANS = re.compile(
    r"clean|close|stop|shut_?down|release|flush|finali[sz]e|_run_exitfuncs|tear_?down|terminate|join|quit|save|unlink|remove|rmtree",
    re.IGNORECASE,
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The places of the module at which the process is replaced."""
    called = _LASTS | {local for local, name in project.modules.of(module).aliases.items() if name in _LASTS}
    for fn in project.functions(module):
        for site in fn.sites if called & fn.mentions else ():
            if _last(site) in called and project.calls.is_call_to(site.call, fn, *EXECS):
                if not is_right(site, fn, project) and not _runs_in_child(fn, project) and _is_lost(site, fn, project):
                    yield finding(RULE, site, fn, project, "replaces the process without unwinding", HELP)


def _last(site: Site) -> str:
    func = site.call.func
    return func.name if isinstance(func, Attr) else func.id if isinstance(func, Name) else ""


def _runs_in_child(fn: Fn, project: Project) -> bool:
    """A `preexec_fn`, or the body of a child process."""
    kinds = project.roles.kinds(fn)
    return bool(kinds) and kinds <= {"process", "pool-process", "test"}


def _is_lost(site: Site, fn: Fn, project: Project) -> bool:
    """Whether anything is lost: around the place itself, or at all where nothing was cleaned up by hand before."""
    if any(True for _ in around(site.at, fn, project)):
        return True
    return not _cleaned_up(site) and bool(at_stake(site.at, fn, project))


def _cleaned_up(site: Site) -> bool:
    """Whether a call that cleans up stands before the place in its function."""
    before = (inner for place in site.at.around() for inner in sites(place.before()))
    return any(_CLEANS.search(_last(inner)) for inner in before)
