"""A look at a text before LibCST parses it: shapes that would crash or stall the parser are told instead.

Measured on LibCST 1.9: its native parser dies by SIGSEGV at some 2,400 nested brackets, 4,800 nested lambdas or 10,000
``elif``; needs quadratic time for chains of operators, attributes, calls and subscripts; and exponential time for
brackets nested in the pattern of a ``case`` (factor 4 a level) or in a ``del`` (factor 2 a level). CPython itself
allows 200 nested brackets.

``check`` first asks a few questions of the whole text that the regex engine answers at once (2 % of the cost of a
parse); only where these cannot exclude trouble, ``shutdown_lint.scanner`` reads the text token by token.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from shutdown_lint.source import Trouble


class Limits(NamedTuple):
    """The most that a text may have of each; ``chain``, ``strings`` and ``sum`` count within one statement."""

    depth: int = 200  # CPython: MAXLEVEL in Parser/tokenizer.h
    hopeless_depth: int = 10_000
    chain: int = 600
    total: int = 1200
    strings: int = 3000
    elifs: int = 1000
    case_depth: int = 8
    del_depth: int = 16


LIMITS = Limits()

# A text with more escapes is read token by token: the regex engine keeps some 100 bytes for each of them.
_MANY_ESCAPES = 200_000
_STRING_OR_COMMENT = re.compile(
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r'|"[^"\\\r\n]*(?:\\.[^"\\\r\n]*)*"?'
    r"|'[^'\\\r\n]*(?:\\.[^'\\\r\n]*)*'?"
    r"|#[^\r\n]*",
    re.DOTALL,
)
# No line inside brackets can begin with one of these, so each begins a statement.
_STATEMENT = re.compile(
    r"[\r\n][ \t\f]*(?:return|def|class|raise|with|try|pass|assert|import|while|elif|except|finally|global|nonlocal"
    r"|break|continue)\b"
)
_OTHER = re.compile(r"[^()\[\]{}]+")
_LINK_WORDS = re.compile(r"\b(?:not|lambda|else|await|yield|is|in|and|or)\b")
_NO_BRACKET = {code: None for code in range(128) if chr(code) not in "()[]{}"}
_NO_LINK = {code: None for code in range(128) if chr(code) not in '.([{+-*/%@&|^~<>!="'}


class _Unclear(Exception):
    """The quick look cannot tell."""


def check(text: str) -> Trouble | None:
    """Why LibCST must not see this text: SHD900 or SHD903 with the line, or None."""
    if looks_harmless(text):
        return None
    from shutdown_lint.scanner import scan

    return scan(text, LIMITS)


def looks_harmless(text: str) -> bool:
    """Whether the whole text can be cleared without reading its tokens; false is no verdict."""
    if text.count("\\") > _MANY_ESCAPES or text.count("elif") > LIMITS.elifs:
        return False
    try:
        plain = _without_strings(text)
        depth = _depth(plain)
    except _Unclear:
        return False
    if depth > LIMITS.case_depth and ("case" in plain or (depth > LIMITS.del_depth and "del" in plain)):
        return False
    return depth <= LIMITS.depth and _has_short_chains(plain)


def _without_strings(text: str) -> str:
    """The text with each string and comment replaced by a quote; the fields of f-strings stay."""
    plain = _STRING_OR_COMMENT.sub('"', text)
    if any(prefix in plain for prefix in ('f"', 'F"', 't"', 'T"', 'fr"', 'fR"', 'Fr"', 'FR"', 'tr"', 'tR"')):
        return _STRING_OR_COMMENT.sub(_fields, text)
    return plain


def _fields(match: re.Match[str]) -> str:
    before = match.string[max(match.start() - 2, 0) : match.start()].lower()
    if not before.endswith(("f", "t", "fr", "tr")) or "{" not in match.group():
        return '"'
    content = match.group().replace("{{", "").replace("}}", "")
    # From 3.12 a field may hold the quote that delimits the string; the string then seems to end inside the field.
    if content.count("{") != content.count("}"):
        raise _Unclear
    parts = content.split("{")[1:]
    return '"' + "".join("{" + part[: part.rfind("}") + 1] if "}" in part else "{" + part for part in parts)


def _depth(plain: str) -> int:
    """How deeply brackets are nested; innermost pairs are taken out until nothing is left."""
    brackets = plain.translate(_NO_BRACKET)
    if not brackets.isascii():
        brackets = _OTHER.sub("", brackets)
    depth = 0
    while brackets:
        inner = brackets.replace("()", "").replace("[]", "").replace("{}", "")
        depth += 1
        if len(inner) == len(brackets) or depth > LIMITS.depth:
            raise _Unclear
        brackets = inner
    return depth


def _has_short_chains(plain: str) -> bool:
    """Whether no stretch between two certain beginnings of statements has as many links as the bound."""
    for segment in _STATEMENT.split(plain):
        # each link takes at least one character, each word that is a link at least three with the space around it
        if len(segment) > LIMITS.chain:
            links = len(segment.translate(_NO_LINK))
            if links + len(segment) // 3 > LIMITS.chain and links + len(_LINK_WORDS.findall(segment)) > LIMITS.chain:
                return False
    return True
