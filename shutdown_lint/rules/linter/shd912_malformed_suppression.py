"""A suppression comment cannot be understood, or names a rule that does not exist.

## What it does

Reports `# shutdown-lint:` comments that are not of the form `ignore[codes] reason` or `ignore-file[codes] reason`,
codes and names that no rule has, and rule names in `# noqa:` (flake8 reads a name there as a bare `# noqa` for every
linter).

## Why it matters

A malformed comment hides nothing, or far more than was meant. It is never read generously.

## Example

```python
import sys

print(sys.argv)  # shutdown-lint: ignore
```

## Use instead

```python
import sys

print(sys.argv)  # plain words about shutdown-lint are no suppression
```

## Precision

Only comments that begin with `shutdown-lint:`, and codes that begin with `SHD`, are looked at.

## References

- [flake8: in-line ignoring](https://flake8.pycqa.org/en/latest/user/violations.html#in-line-ignoring-errors)
"""

from __future__ import annotations

from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD912",
    name="malformed-suppression",
    summary="a suppression comment cannot be understood, or names a rule that does not exist",
    tier="D",
    severity="warning",
    triggers=(),
)
