"""SHD601: ``CMD a b`` becomes ``CMD ["a", "b"]``; where a shell is needed, ``exec`` is put before its last command.

The finding's span is the command: an instruction of a Dockerfile, or the value of a key in YAML. ``args["form"]`` is ``list``
where the rule has shown that a list means the same to the platform (no ``ENTRYPOINT``, no ``SHELL``); the list is made when the
command has no syntax of the shell at all.

=============================================  ==================================================
before                                         after
=============================================  ==================================================
``CMD gunicorn -w 4 shop.wsgi``                ``CMD ["gunicorn", "-w", "4", "shop.wsgi"]``
``CMD cd /srv && uvicorn --port $PORT a:b``    ``CMD cd /srv && exec uvicorn --port $PORT a:b``
``command: sh -c "celery -A shop worker"``     ``command: sh -c "exec celery -A shop worker"``
=============================================  ==================================================

Where in the file ``exec`` belongs is found by trying: the place is right when the file's own reader then gives exactly the words
that are wanted, whatever quotes, indentation and continuation lines there are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from shutdown_lint.deployment.facts import Unit
from shutdown_lint.deployment.replacing import EXEC, offset_of, plain_words, shell_text, why_not
from shutdown_lint.deployment.shell import commands
from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes.deployed import Deployed
from shutdown_lint.fixes.refusal import Refused

_INSTRUCTION = re.compile(r"(?:CMD|ENTRYPOINT)[ \t]+", re.IGNORECASE)
_QUOTING = frozenset("\\\"'$")  # what may stand between a word of the shell and where it begins
MAX_TRIES = 20  # places at which the name of the program stands; each is a reading of the file


def edits(document: Deployed, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Replace the command by a list, or insert ``exec``."""
    unit = next((unit for unit in document.facts.units if unit.place == span), None)
    text = shell_text(unit.words) if unit is not None else ""
    if unit is None or not text:
        raise Refused("no command for a shell stands here")
    words = plain_words(text)
    if args.get("form") == "list" and words and span.line == span.end_line:
        return [_as_list(document, span, unit, words)]
    found = commands(text)
    reason = why_not(text, found[-1]) if found else "no command for a shell stands here"
    if reason:
        raise Refused(reason)
    start = offset_of(text, found[-1])
    wanted = f"{text[:start]}{EXEC}{text[start:]}"
    return [_inserted(document, span, text, wanted, found[-1].words[0])]


def _as_list(document: Deployed, span: Span, unit: Unit, words: tuple[str, ...]) -> Edit:
    start, end = document.offset(span.line, span.col), document.offset(span.end_line, span.end_col)
    begin = _INSTRUCTION.match(document.text, start, end)
    content = json.dumps(words, ensure_ascii=False)
    units = document.units_with(begin.end(), end, content) if begin else None
    if begin is None or units != _with_list(document, unit, words, units):
        raise Refused("the command cannot be written as a list here")
    return document.edit(begin.end(), end, content)


def _with_list(
    document: Deployed, unit: Unit, words: tuple[str, ...], units: tuple[Unit, ...] | None
) -> tuple[Unit, ...]:
    """The units as they must be read: each that had this command has it as a list (its end lies elsewhere)."""
    new = next((other.command for other in units or () if other.place.line == unit.place.line), None)
    if new is None or new.words != words or new.shell_form:
        return ()
    return tuple(
        other._replace(command=new) if other.command == unit.command else other for other in document.facts.units
    )


def _inserted(document: Deployed, span: Span, text: str, wanted: str, name: str) -> Edit:
    expected = [_replaced(unit, text, wanted) for unit in document.facts.units]
    must = [number for number, unit in enumerate(document.facts.units) if unit.place == span]
    for tried, place in enumerate(_places(document, span, name)):
        units = document.units_with(place, place, EXEC)
        if units is not None and _are(units, document, expected, must):
            return document.edit(place, place, EXEC)
        if tried == MAX_TRIES:
            break
    raise Refused("the place for `exec` cannot be told for sure")


def _places(document: Deployed, span: Span, name: str) -> Iterator[int]:
    """Where the name of the program stands at or behind the command's beginning, also within quotes."""
    place = document.text.find(name, document.offset(span.line, span.col))
    while place >= 0:
        yield place
        for before in range(place - 1, place - 4, -1):
            if document.text[before : before + 1] not in _QUOTING:
                break
            yield before
        place = document.text.find(name, place + 1)


def _replaced(unit: Unit, text: str, wanted: str) -> tuple[str, ...]:
    return tuple(wanted if word == text else word for word in unit.words)


def _are(units: tuple[Unit, ...], document: Deployed, expected: list[tuple[str, ...]], must: list[int]) -> bool:
    """Whether the units have the words that are wanted: these have the new ones, others (behind an alias) may have them."""
    before = document.facts.units
    if len(units) != len(before):
        return False
    return all(
        unit.words == expected[number] or (number not in must and unit.words == before[number].words)
        for number, unit in enumerate(units)
    )
