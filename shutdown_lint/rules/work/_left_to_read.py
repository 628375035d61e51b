"""Temporary folders that are meant to stay: somebody reads what is in them when the program has ended."""

from __future__ import annotations

import re

from shutdown_lint.facts import Const
from shutdown_lint.project.resources import Acquisition

_WHAT = "log|result|report|artifact|dump|profile|trace"
_TO_READ = re.compile(rf"(^|[_-])({_WHAT})s?(_?(dir|path|folder))?([_-]|$)")


def left_to_read(acquisition: Acquisition, name: str) -> bool:
    """Whether the folder's name, or the ``prefix`` that it is made with, says that it holds logs or results."""
    given = (arg.value.value for arg in acquisition.call.args if isinstance(arg.value, Const))
    names = (name.rpartition(".")[2], *(value for value in given if isinstance(value, str)))
    return acquisition.model.kind == "tempdir" and any(_TO_READ.search(part.lower()) for part in names)
