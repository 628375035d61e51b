"""A suppression comment names a rule that finds nothing here.

## What it does

Reports a code in `# noqa: SHD…`, `# flake8: noqa: SHD…` or `# shutdown-lint: ignore[…]` that hides no finding. Codes of
other linters and bare `# noqa` comments are left alone, and so are codes of rules that were not run.

## Why it matters

A suppression that has outlived its finding hides the next one that arises on that line.

## Example

```python
import sys

print(sys.argv)  # noqa: SHD101
```

## Use instead

```python
import sys

print(sys.argv)
```

## Fix safety

Safe: only the comment changes. Other codes in it, and the reason of one that is still needed, stay.

## Precision

A suppression counts as used when it hides a finding of any tier, also of one that this run would not have shown.

## References

- [flake8: selecting and ignoring violations](https://flake8.pycqa.org/en/latest/user/violations.html)
"""

from __future__ import annotations

from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD910",
    name="unused-suppression",
    summary="a suppression comment names a rule that finds nothing here",
    tier="D",
    severity="warning",
    triggers=(),
    fix="safe",
)
