"""The simple commands of shell text (POSIX XCU 2, Shell Command Language), and how they follow one another.

No more of the language than it takes to tell what runs last, in the foreground, behind ``exec`` or a pipe. Expansions
stay as they are written. Linear in the length of the text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_OPERATORS = ("&&", "||", ";;", "|&", ";", "&", "|", "(", ")", "\n")
_REDIRECT = re.compile(r"\d*(?:<<<|<<-?|<&|>&|<>|>>|>\||&>>|&>|<|>)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_OPENING = {"if": "if", "case": "case", "while": "loop", "until": "loop", "for": "loop", "select": "loop", "{": "group"}
_CLOSING = frozenset({"fi", "esac", "done", "}"})
_NEXT_BRANCH = frozenset({"elif", "else"})
_BEFORE_COMMAND = frozenset({"then", "do", "else", "elif", "!", "time"})
MAX_DEPTH = 60  # compound commands within each other: more is no entry script
_FORKING = frozenset({"loop", "function", "sub"})


class Frame(NamedTuple):
    """A compound command around a simple one: its number, kind and branch."""

    number: int
    kind: str
    branch: int


class Simple(NamedTuple):
    """A simple command: its words without assignments and redirections, where it stands, and what is around it.

    ``before`` and ``after`` are the operators beside it; ``line`` and ``col`` are 1-based within the text.
    """

    words: tuple[str, ...]
    line: int
    col: int
    end_col: int
    frames: tuple[Frame, ...]
    before: str
    after: str
    redirected: bool

    @property
    def piped(self) -> bool:
        """Whether it is part of a pipeline."""
        return self.before in ("|", "|&") or self.after in ("|", "|&")

    @property
    def background(self) -> bool:
        """Whether the shell does not wait for it."""
        return self.after == "&"

    @property
    def forks(self) -> bool:
        """Whether it is in a loop, a function or a subshell, where no shell replaces itself."""
        return any(frame.kind in _FORKING for frame in self.frames)


class _Token(NamedTuple):
    kind: str  # "word", "operator", "redirect"
    text: str
    line: int
    col: int
    end_col: int
    bare: bool
    assigns: bool = False  # an assignment, if it stands before the command: its value may be quoted, its name not


def commands(text: str) -> tuple[Simple, ...]:
    """All simple commands, in order."""
    return _Parser(_Scanner(text).tokens()).run()


def starts_background(text: str) -> bool:
    """Whether anything is put into the background, a group or a loop as a whole too."""
    return any(token.kind == "operator" and token.text == "&" for token in _Scanner(text).tokens())


def is_last(which: int, found: tuple[Simple, ...]) -> bool:
    """Whether the shell has nothing to do when this command ends: what follows stands in other branches of an ``if`` or ``case``."""
    return not found[which].forks and all(_exclusive(found[which], later) for later in found[which + 1 :])


def _exclusive(left: Simple, right: Simple) -> bool:
    for one, other in zip(left.frames, right.frames):
        if one != other:
            return one.number == other.number and one.kind in ("if", "case")
    return False


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._line, self._start = 1, 0
        self._heredocs: list[tuple[str, bool]] = []

    def tokens(self) -> list[_Token]:
        """Words, operators and redirections, in order."""
        found: list[_Token] = []
        text = self._text
        while self._at < len(text):
            char = text[self._at]
            if char in " \t\r":
                self._at += 1
            elif text.startswith("\\\n", self._at):
                self._at += 1
                self._newline()
            elif char == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            else:
                found.append(self._redirect() or self._operator() or self._word())
                if found[-1].kind == "redirect" and found[-1].text.lstrip("0123456789") in ("<<", "<<-"):
                    self._heredoc(found[-1].text)
        return found

    def _token(self, kind: str, start: int, value: str, bare: bool = True, line: int = 0, first: int = -1) -> _Token:
        origin = self._start if first < 0 else first
        same = not line or line == self._line
        end = self._at - self._start + 1 if same else start - origin + 2
        return _Token(kind, value, line or self._line, start - origin + 1, end, bare)

    def _newline(self) -> None:
        """Step over a line end, and over the heredocs that begin behind it."""
        self._at += 1
        self._line += 1
        self._start = self._at
        for mark, stripped in self._heredocs:
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                line = self._text[self._at : end]
                self._at = min(end + 1, len(self._text))
                self._line += 1
                self._start = self._at
                if (line.lstrip("\t") if stripped else line) == mark:
                    break
        self._heredocs = []

    def _redirect(self) -> _Token | None:
        match = _REDIRECT.match(self._text, self._at)
        if not match:
            return None
        start, self._at = self._at, match.end()
        return self._token("redirect", start, match.group())

    def _operator(self) -> _Token | None:
        start = self._at
        for operator in _OPERATORS:
            if self._text.startswith(operator, start):
                line, first = self._line, self._start
                if operator == "\n":
                    self._newline()
                    return _Token("operator", "\n", line, start - first + 1, start - first + 2, True)
                self._at += len(operator)
                return self._token("operator", start, operator)
        return None

    def _heredoc(self, operator: str) -> None:
        while self._at < len(self._text) and self._text[self._at] in " \t":
            self._at += 1
        start = self._at
        word = self._word()
        self._at = max(self._at, start + 1)
        self._heredocs.append((word.text, operator.endswith("-")))

    def _word(self) -> _Token:
        text, start, line, first = self._text, self._at, self._line, self._start
        parts: list[str] = []
        bare = True
        while self._at < len(text):
            char = text[self._at]
            if char in " \t\r\n;&|()<>":
                break
            if char in "'\"":
                bare = False
                parts.append(self._quoted(char))
            elif char == "\\":
                parts.append(text[self._at + 1 : self._at + 2].replace("\n", ""))
                bare = False
                self._skip(2)
            elif char == "`" or text.startswith("$(", self._at) or text.startswith("${", self._at):
                parts.append(self._expansion())
            else:
                parts.append(char)
                self._at += 1
        if self._at == start:
            self._at += 1  # a stray character
        token = self._token("word", start, "".join(parts), bare, line, first)
        return token._replace(assigns=bool(_ASSIGNMENT.match(text, start)))

    def _skip(self, count: int) -> None:
        for char in self._text[self._at : self._at + count]:
            self._at += 1
            if char == "\n":
                self._line += 1
                self._start = self._at

    def _quoted(self, quote: str) -> str:
        text, begin = self._text, self._at + 1
        at = begin
        while at < len(text) and text[at] != quote:
            at += 2 if text[at] == "\\" and quote == '"' else 1
        self._skip(min(at + 1, len(text)) - self._at)
        inner = text[begin : min(at, len(text))]
        return re.sub(r"\\([\"\\$`\n])", r"\1", inner) if quote == '"' else inner

    def _expansion(self) -> str:
        """``$(…)``, ``${…}`` or backticks, as they are."""
        text, begin = self._text, self._at
        if text[begin] == "`":
            end = text.find("`", begin + 1)
            self._skip((len(text) if end < 0 else end + 1) - begin)
            return text[begin : self._at]
        opening, closing = text[begin + 1], ")" if text[begin + 1] == "(" else "}"
        at, depth = begin + 1, 0
        while at < len(text):
            if text[at] == "\\":
                at += 1
            elif text[at] == opening:
                depth += 1
            elif text[at] == closing:
                depth -= 1
                if depth == 0:
                    break
            at += 1
        self._skip(min(at + 1, len(text)) - begin)
        return text[begin : self._at]


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._stack: list[Frame] = []
        self._count = 0
        self._found: list[Simple] = []
        self._before = ""
        self._words: list[_Token] = []
        self._redirected = self._skip_word = self._defining = self._pattern = False

    def run(self) -> tuple[Simple, ...]:
        """All simple commands."""
        for number, token in enumerate(self._tokens):
            if len(self._stack) > MAX_DEPTH:
                return ()
            if token.kind == "redirect":
                self._redirected = self._skip_word = True
                if token.text.lstrip("0123456789") in ("<<", "<<-"):
                    self._skip_word = False  # its word is taken already
            elif token.kind == "operator":
                self._operator(token, self._tokens[number + 1 : number + 2])
            elif self._skip_word:
                self._skip_word = False
            elif not (token.bare and not self._words and self._keyword(token.text)):
                self._words.append(token)
        self._end("")
        return tuple(self._found)

    def _open(self, kind: str) -> None:
        self._count += 1
        if self._defining:
            kind, self._defining = "function", False
        self._stack.append(Frame(self._count, kind, 0))

    def _keyword(self, word: str) -> bool:
        if word == "function":
            self._defining = self._skip_word = True  # its name
            return True
        if word in _OPENING:
            self._open(_OPENING[word])
            # what follows these is no command: it is dropped at its end
            return word not in ("case", "for", "select")
        if word in _CLOSING:
            self._pattern = False
            if self._stack:
                self._stack.pop()
            return True
        if word in _NEXT_BRANCH and self._stack:
            self._stack[-1] = self._stack[-1]._replace(branch=self._stack[-1].branch + 1)
        return word in _BEFORE_COMMAND

    def _operator(self, token: _Token, following: list[_Token]) -> None:
        operator = token.text
        if operator == "(":
            in_name = len(self._words) == 1 and following and following[0].text == ")"
            if in_name:  # name() …
                self._words = []
                self._open("definition")
            elif not self._pattern:
                self._open("sub")
            return
        if operator == ")":
            self._close()
            return
        if self._pattern:
            self._words = []
            return
        if self._words and self._words[0].text == "case" and self._words[0].bare:
            self._pattern = True
        self._end(operator)
        if operator == ";;" and self._stack and self._stack[-1].kind == "case":
            self._pattern = True
            self._stack[-1] = self._stack[-1]._replace(branch=self._stack[-1].branch + 1)

    def _close(self) -> None:
        if self._stack and self._stack[-1].kind == "definition":
            self._stack.pop()
            self._defining = True  # the next group is its body
        elif self._stack and self._stack[-1].kind == "case":
            self._words, self._before, self._pattern = [], "\n", False  # the pattern of a branch
        elif self._stack and self._stack[-1].kind == "sub":
            self._end(")")
            self._stack.pop()

    def _end(self, operator: str) -> None:
        words = list(self._words)
        while words and words[0].assigns:
            words.pop(0)
        self._words = []
        if words and words[0].text not in ("case", "for", "select", "function"):
            first, last = words[0], words[-1]
            end = last.end_col if last.line == first.line else first.end_col
            self._found.append(
                Simple(
                    tuple(token.text for token in words),
                    first.line,
                    first.col,
                    end,
                    tuple(self._stack),
                    self._before,
                    operator,
                    self._redirected,
                )
            )
        self._redirected = self._skip_word = False
        self._before = operator
