"""A rule failed on this file by a mistake of the linter's own.

## What it does

Reports that one rule (or the reading of one file) raised an unexpected error. All other rules and files are checked.

It also names the file that a process of the linter had in hand when it was killed, by a machine that is short of memory
above all. The file is analysed once more, alone; if that goes well, no finding is lost, and the message says so.

## Why it matters

What the rule would have found in the file is unknown, or the machine is not fit for the run. It ends with exit code 2,
so that nobody takes it for clean.

## Use instead

Run again with `--traceback` and report what it prints, if possible with the file. Until it is mended, the finding can
be turned off for the file with `per-file-ignores`.

## Precision

It only speaks after an exception, or the death of a process.

## References

- [Issues of shutdown-lint](https://github.com/shutdown-lint/shutdown-lint/issues)
"""

from __future__ import annotations

from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD904",
    name="internal-error",
    summary="a rule failed on this file by a mistake of the linter's own",
    tier="D",
    severity="error",
    triggers=(),
)
