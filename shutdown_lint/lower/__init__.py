"""From source text to facts: one parse by LibCST, one walk over its nodes, no metadata provider."""

from __future__ import annotations

from shutdown_lint.lower.module import SyntaxTrouble, lower_module

__all__ = ["SyntaxTrouble", "lower_module"]
