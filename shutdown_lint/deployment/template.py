"""Whether a file is still to be filled in: by Helm, Jinja or Go templates, or by a program's ``str.format``."""

from __future__ import annotations

import re

# marks of template languages; a placeholder that makes up a whole line, as no YAML file has one
_MARKS = re.compile(r"\{\{|\{%|<%|^[ \t]*\{[A-Za-z_][\w.]*\}[ \t]*$", re.MULTILINE)


def is_one(text: str) -> bool:
    """Whether the text holds a placeholder."""
    return _MARKS.search(text) is not None
