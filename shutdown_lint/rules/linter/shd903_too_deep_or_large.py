"""The file is too large, nested too deeply or chained too long to be analysed.

## What it does

Reports files of more than 10 MiB, and expressions or `elif` chains of more links than the parser can take in reasonable
time and memory: such a file could crash or stall the run. It is left out before it is parsed.

## Why it matters

The file was not looked at. The run ends with exit code 2, and the other files are checked all the same.

## Use instead

Such files are generated as a rule: exclude them, or keep the data in a data file.

## Precision

The bounds lie far above what people write: 300 links of a chain, 200 brackets, 100 blocks.

## References

- [CPython: lexical analysis](https://docs.python.org/3/reference/lexical_analysis.html)
"""

from __future__ import annotations

from shutdown_lint.rules.base import Rule

RULE = Rule(
    code="SHD903",
    name="too-deep-or-large",
    summary="the file is too large, nested too deeply or chained too long to be analysed",
    tier="D",
    severity="error",
    triggers=(),
)
