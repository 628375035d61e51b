"""Ways to begin with the linter in a project that has findings, and to see only what is new.

==============  ==================================================
``narrowing``   from a report to what is shown of it
``baseline``    findings that are known and not to be reported
``changes``     lines changed since a revision of git
``noqa``        comments that hide findings
==============  ==================================================
"""

from __future__ import annotations

from shutdown_lint.adoption.errors import AdoptionError
from shutdown_lint.adoption.narrowing import fails, narrow

__all__ = ["AdoptionError", "fails", "narrow"]
