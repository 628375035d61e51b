"""Fixes: edits for findings, made on the file as it is, and written whole or not at all.

``plan`` gives the edits of findings; ``apply`` makes them, round by round, and writes the files.
"""

from __future__ import annotations

from shutdown_lint.fixes.planning import plan
from shutdown_lint.fixes.rounds import FixResult, apply

__all__ = ["FixResult", "apply", "plan"]
