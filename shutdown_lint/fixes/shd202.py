"""SHD202: a daemon thread that holds cleanup is told to end and joined, in the method that stops its owner.

The same as for SHD201: see there.
"""

from __future__ import annotations

from shutdown_lint.fixes.shd201 import edits

__all__ = ["edits"]
