"""From source text to facts: one parse, one walk over its nodes, no metadata provider.

``abstract`` reads with the parser of the running Python; ``concrete`` with LibCST's, which knows newer syntax.
"""

from __future__ import annotations

from shutdown_lint.lower.module import lower_module, lower_newer
from shutdown_lint.lower.scope import SyntaxTrouble

__all__ = ["SyntaxTrouble", "lower_module", "lower_newer"]
