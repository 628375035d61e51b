"""`exit()` and `quit()` are helpers of the interactive prompt, not of programs.

## What it does
Reports calls of the builtins `exit` and `quit`.

## Why it matters
The `site` module adds them for the prompt: under `python -S` and in frozen programs they are missing, and the call that
should end the program raises NameError instead. They also close standard input.

## Example
```python
def check(count: int) -> None:
    if count < 1:
        exit(2)


if __name__ == "__main__":
    check(0)
```

## Use instead
```python
import sys


def check(count: int) -> None:
    if count < 1:
        sys.exit(2)


if __name__ == "__main__":
    check(0)
```

## Fix safety
The fix writes `sys.exit` and adds `import sys` where it is missing. It is safe: the only difference is that standard
input stays open. It is not offered where `sys` means something else in that scope.

## Precision
Silent where the name is defined, imported or passed in, in modules with a star import, and in code for notebooks.

## References
- [Constants added by the site module](https://docs.python.org/3/library/constants.html#constants-added-by-the-site-module)
"""

from __future__ import annotations

from collections.abc import Iterator

from shutdown_lint.facts import ImportName, ModuleFacts, Name
from shutdown_lint.findings import Finding, Fix
from shutdown_lint.project import Fn, Project
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.exits._requests import may_mean_prompt
from shutdown_lint.walk import text

RULE = Rule(
    code="SHD108",
    name="site-exit",
    summary="`exit()` or `quit()` of the interactive prompt in a program",
    tier="S",
    severity="info",
    triggers=("exit(", "quit("),
    fix="safe",
    origin=("G5",),
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The calls of the module to the prompt's helpers."""
    if may_mean_prompt(module, project):
        return
    for fn in project.functions(module):
        for site in fn.sites:
            if project.calls.is_call_to(site.call, fn, "builtins.exit", "builtins.quit"):
                name = text(site.call.func)
                message = f"`{name}()` is missing under `python -S` and in frozen programs: there this raises NameError"
                fix = (
                    Fix("safe", f"use `sys.exit` instead of `{name}`", kind="shd108")
                    if _is_fixable(site.call.func, fn, project)
                    else "`sys` means something else here"
                )
                yield RULE.finding(module, site.call.span, message, help="call `sys.exit`", fix=fix)


def _is_fixable(func: object, fn: Fn, project: Project) -> bool:
    """A bare name, in a scope where ``sys`` is free or the module of that name."""
    if not isinstance(func, Name):
        return False
    scope = project.evaluate.binding_scope("sys", fn)
    return scope is None or (scope.is_module and all(_is_sys(binding) for binding in scope.bindings.get("sys", ())))


def _is_sys(binding: object) -> bool:
    return isinstance(binding, ImportName) and binding.name is None and binding.module == "sys" and not binding.level
