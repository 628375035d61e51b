"""`sys.exit` deep in importable code takes the decision to end the program away from who called it.

## What it does
Reports, at the strict tier, exit requests (`sys.exit`, `raise SystemExit`) in functions that no command line entry point of the
project leads to, and in an `except` clause at module level.

## Why it matters
A library that exits cannot be used in a server, a notebook or a test: its caller asked for a result and gets the end of the
program. `SystemExit` is no `Exception`, so the caller's error handling and retries do not see it.

## Example
```python
import json
import sys


def read_settings(path):
    with open(path) as source:
        settings = json.load(source)
    if "name" not in settings:
        sys.exit("no name in the settings")
    return settings
```

## Use instead
```python
import json


class SettingsError(Exception):
    pass


def read_settings(path):
    with open(path) as source:
        settings = json.load(source)
    if "name" not in settings:
        raise SettingsError("no name in the settings")
    return settings
```

## Precision
A matter of style on the greater part of real code, hence the strict tier. Silent for functions that a `__main__` part, a
console script or a command leads to, for signal handlers, in forked children, for command line modules and helpers by their names (`main`, `cli`,
`usage`, `die`, …), for decorated functions, nested functions, subclasses of unknown classes, and in tests. Threads, tasks and
exit callbacks have rules of their own.

## References
- [sys.exit](https://docs.python.org/3/library/sys.html#sys.exit)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shutdown_lint.facts import ModuleFacts
from shutdown_lint.findings import Finding
from shutdown_lint.project import Fn, Project
from shutdown_lint.project.forks import in_child, side_of
from shutdown_lint.project.imports import imported
from shutdown_lint.project.roles import TEST_MODULE, is_test
from shutdown_lint.rules.base import Rule
from shutdown_lint.rules.exits._requests import TRIGGERS, Request, is_caught, may_mean_prompt, requests

RULE = Rule(
    code="SHD109",
    name="deep-exit",
    summary="`sys.exit` in importable code that no command line entry point leads to",
    tier="S",
    severity="warning",
    triggers=TRIGGERS,
    origin=("G8",),
)
MAX_CLIMB = 3  # importers above a module
HELP = "raise an exception of your own, and exit where the command line is handled"
# Modules and functions that are the command line, by their names.
_CLI_MODULE = re.compile(
    r"(^|\.|_)(__main__|main|cli|cmd|cmdline|command(s|line)?|console|scripts?|setup|manage|bin|tools?|run|runner|entry_?points?|examples|demos|docs?|benchmarks?)(_|\.|$)",
    re.IGNORECASE,
)
_CLI_NAME = re.compile(
    r"(^|_)(main|cli|cmd|command|usage|help|version|die|fatal|abort|exit|quit|bail|err(or)?|fail|parse_?args|args|run_from|"
    r"options?|signal|sig[a-z]*|handle_?sig.*|interrupt|term|terminate|shutdown|stop|run|start|__call__|print.*|list|show|subcommand)(_|$)",
    re.IGNORECASE,
)
_PLAIN_DECORATORS = frozenset(
    {"staticmethod", "classmethod", "property", "cached_property", "override", "lru_cache", "cache"}
)


def check(module: ModuleFacts, project: Project) -> Iterator[Finding]:
    """The exit requests of the module that an importer or a caller of a library meets."""
    if _CLI_MODULE.search(module.name) or TEST_MODULE.search(module.name):
        return
    if not all(part.isidentifier() for part in module.name.split(".")):
        return  # no import can name it: a script
    if project.roles.main_guard(project.body(module)) is not None or may_mean_prompt(module, project):
        return
    for request in requests(module, project):
        if is_caught(request.at, "SystemExit"):
            continue
        if request.fn.is_module:
            if any(place.part == "handler" for place in request.at.around()):  # else it may be a plain script
                yield _at_import(request, module)
        elif _is_deep(request.fn, project) and not _ends_child(request, project) and not _serves(module, project):
            yield _finding(request, project)


def _is_deep(fn: Fn, project: Project) -> bool:
    """Whether the function is a library's: nobody runs it in a role that knows of exits, and nothing hides who does."""
    if is_test(fn) or fn.facts.is_lambda or fn.decorator_names - _PLAIN_DECORATORS or _CLI_NAME.search(fn.name):
        return False
    if fn.parent is not None and not fn.parent.is_module:  # a nested function is a callback of its maker
        return False
    if fn.cls is not None and (project.classes.external_bases(fn.cls) or _CLI_NAME.search(_words(fn.cls.name))):
        return False
    return not project.roles.kinds(fn) - {"framework", "test"}


def _serves(module: ModuleFacts, project: Project, depth: int = 0) -> bool:
    """Whether the module is a part of the command line: nothing imports it but that, or what itself is a part of it."""
    last = module.name.rpartition(".")[2]
    project.modules.loaded_mentioning(last)
    users = [
        entry.facts
        for entry in project.modules
        if entry.facts is not module
        and not TEST_MODULE.search(entry.facts.name)
        and module.name in imported(entry.facts, project)
    ]
    return bool(users) and all(
        _CLI_MODULE.search(user.name) or (depth < MAX_CLIMB and _serves(user, project, depth + 1)) for user in users
    )


def _ends_child(request: Request, project: Project) -> bool:
    """In a forked child, whose end it is."""
    return side_of(request.at, request.fn, project) == "child" or in_child(request.fn, project)


def _words(name: str) -> str:
    """`RunCommand` → `Run_Command`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)


def _at_import(request: Request, module: ModuleFacts) -> Finding:
    message = f"`{request.text}` ends every program that imports `{module.name}`"
    return RULE.finding(
        module, request.span, message, help='raise `ImportError`, or exit under `if __name__ == "__main__"`'
    )


def _finding(request: Request, project: Project) -> Finding:
    fn = request.fn
    calls = [caller for caller in project.calls.callers(fn) if not is_test(caller.fn)][:1]
    trace = tuple(c.fn.step(c.site.call.span, f"`{c.fn.qualname}` calls `{fn.qualname}`") for c in calls)
    message = f"`{request.text}` in `{fn.qualname}` ends the program of whoever calls it, past every `except Exception`"
    return RULE.finding(fn.module, request.span, message, trace=trace, help=HELP)
