"""SHD602: ``exec`` is put before the last command of an entry script.

The finding's span is the command. The rule has shown that something starts the script as a process of its own; checked here: the
command is the last of the script, in the foreground and in no pipeline, branch or loop, no trap can be set, nothing runs in the
background, and its name is a program's.

==========================================  ===============================================
before                                      after
==========================================  ===============================================
``gunicorn shop.wsgi``                      ``exec gunicorn shop.wsgi``
``cd /srv && MODE=web python -m shop``      ``cd /srv && MODE=web exec python -m shop``
``"$@"``                                    ``exec "$@"``
==========================================  ===============================================
"""

from __future__ import annotations

from collections.abc import Mapping

from shutdown_lint.deployment.replacing import EXEC, why_not
from shutdown_lint.deployment.shell import commands
from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.deployed import Deployed
from shutdown_lint.fixes.refusal import Refused, refuse_if


def edits(document: Deployed, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Insert ``exec``."""
    text = document.facts.text
    command = next((one for one in commands(text) if (one.line, one.col) == (span.line, span.col)), None)
    if command is None:
        raise Refused("no command stands here")
    refuse_if(why_not(text, command))
    place = document.offset(span.line, span.col)
    return [document.edit(place, place, EXEC)]
