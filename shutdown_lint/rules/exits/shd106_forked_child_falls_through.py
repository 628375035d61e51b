"""A forked child that leaves by `sys.exit`, `return` or an exception runs its parent's cleanup a second time.

## What it does
Reports the child's branch after `os.fork()` where it ends by an exit request or a `return`, falls through into the code
behind the branch, or lets an exception of its work pass by its `os._exit`. The finding names the cleanup that the child
inherits and runs too: `with` and `finally` blocks around the fork and along the callers, exit callbacks. Without such
cleanup only the strict tier speaks. Also the parent of a daemon that leaves by an exit request and so removes a folder,
a lock or a file which the daemon goes on with.

## Why it matters
The child is a copy of the whole stack: it removes the temporary folder that its parent still uses, commits or rolls
back the parent's transaction, unlinks its lock file, and writes inherited buffers twice.

## Example
```python
import os
import sys
import tempfile


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        pid = os.fork()
        if pid == 0:
            print(os.listdir(folder))
            sys.exit(0)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
```

## Use instead
```python
import os
import tempfile


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        pid = os.fork()
        if pid == 0:
            try:
                print(os.listdir(folder), flush=True)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
```

## Fix safety
Unsafe: what the child has printed and not flushed is lost, where today it is written together with what the parent had not
flushed. Offered where the child's branch is that of an `if` or `else` and jumps nowhere.

## Precision
Silent where the child execs or never comes back, where the parent ends after the fork (a daemon's double fork), where
the function returns a value by which its caller tells the two processes apart, and in tests.

## References
- [os.fork](https://docs.python.org/3/library/os.html#os.fork)
- [os._exit](https://docs.python.org/3/library/os.html#os._exit)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.forks import fork_sites
from shutdown_lint.project.roles import is_test
from shutdown_lint.project.stakes import inherited, upwards
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.exits._children import Leak, leak, parent_exit
from shutdown_lint.walk import Site, text

RULE = Rule(
    code="SHD106",
    name="forked-child-falls-through",
    summary="a forked child that comes back into its parent's code instead of ending by `os._exit`",
    tier="D",
    severity="error",
    fix="unsafe",
    triggers=(r"fork & re:fork(?:pty)?\s*\(|import[^\n]*\bfork|\.fork(?:pty)?\b",),
    origin=("G5",),
)

# what is gone for the child too when the parent has done it
_TAKES_AWAY = re.compile(
    r"unlink|remove|rmtree|rmdir|Temporary|mkdtemp|clean_?up|delete|pid_?file|lock_?file", re.IGNORECASE
)
HELP = "let the child do its work in `try` and end it by `os._exit(code)` in `finally`"
_HOW = {
    "exit": "leaves by an exit request",
    "return": "returns into its parent's code",
    "next": "falls through into its parent's code",
    "raise": "raises into its parent's code",
    "risk": "comes back into its parent's code when its work raises, because `os._exit` is not in `finally`",
}


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The forks of the module whose child comes back."""
    for fn in project.functions(module):
        for fork in fork_sites(fn, project) if not is_test(fn) else ():
            found = leak(fork, fn, project)
            if found is not None:
                yield from _finding(fork, found, fn, project)
            else:
                yield from _of_parent(fork, fn, project)


def _finding(fork: Site, found: Leak, fn: Fn, project: Project) -> Iterator[Finding]:
    twice = inherited(fork.at, fn, project)
    start = f"the child of `{text(fork.call)}` {_HOW[found.kind]}"
    if twice:
        more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
        callers = (
            path.fn.step(path.site.call.span, f"`{path.fn.qualname}` calls {text(path.site.call)}")
            for path in reversed(upwards(fork.at, fn, project)[1:])
            if path.site is not None
        )
        trace = (*callers, fn.step(fork.call.span, f"`{fn.qualname}` forks"), *([found.inner] if found.inner else ()))
        yield RULE.finding(
            fn.module,
            found.span,
            f"{start}, and runs {twice[0].text}{more} a second time",
            lost=twice,
            trace=trace,
            help=HELP,
            fix=_fix(found),
        )
    elif found.kind != "risk":
        yield RULE.finding(
            fn.module,
            found.span,
            f"{start}: inherited buffers and cleanup are run twice",
            tier="S",
            severity="warning",
            help=HELP,
            fix=_fix(found),
        )


def _of_parent(fork: Site, fn: Fn, project: Project) -> Iterator[Finding]:
    """The parent of a daemon that takes away by its normal exit what the daemon works with."""
    leaving = parent_exit(fork, fn, project)
    taken = [step for step in inherited(fork.at, fn, project) if _TAKES_AWAY.search(step.text)] if leaving else []
    if leaving is None or not taken:
        return
    span = getattr(leaving.stmt, "span", fork.call.span)
    yield RULE.finding(
        fn.module,
        span,
        f"the parent of `{text(fork.call)}` leaves by an exit request and runs {taken[0].text}, while the child goes on and needs it",
        lost=taken,
        trace=(fn.step(fork.call.span, f"`{fn.qualname}` forks"),),
        help="let the parent leave by `os._exit(0)`",
    )


def _fix(found: Leak) -> Fix | str:
    if found.kind not in ("exit", "risk", "next"):
        return f"the child {_HOW[found.kind]}, which may be meant"
    if found.inner is not None:
        return "the hard exit stands in another function"
    return Fix("unsafe", "end the child by `os._exit`, also when its work raises", "shd106", (("kind", found.kind),))
