"""Text from bytes, exactly as CPython decodes source: byte order mark, PEP 263 declaration, else UTF-8.

Line ends are ``\\n``, ``\\r\\n`` and ``\\r`` only (Language Reference 2.1.2); ``str.splitlines`` knows more.
"""

from __future__ import annotations

import os
import re
from itertools import islice

from shutdown_lint.source.kinds import deployment_kind
from shutdown_lint.source.trouble import Trouble, TroubleError

BOM = b"\xef\xbb\xbf"
LINE_END = re.compile(r"\r\n|\n|\r")
_LINE_END_BYTES = re.compile(rb"\r\n|\n|\r")
# PEP 263, as in CPython's tokenizer: the second line counts only after a blank or comment line.
_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:#.*)?\Z", re.DOTALL)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def decode(data: bytes, path: str = "") -> str:
    """The text of a source file, without its byte order mark. Raises ``TroubleError`` (SHD900, SHD902).

    ``path`` may name a deployment file: those are UTF-8, whatever a comment in them says.
    """
    if data.startswith(_UTF16):
        raise _undecodable("looks like UTF-16; save it as UTF-8")
    encoding, body = declared_encoding(data, path), data.removeprefix(BOM)
    if b"\0" in body:
        raise _null(body.index(b"\0"), _LINE_END_BYTES.findall(body, 0, body.index(b"\0")))
    text = _decode_utf8(body, encoding is not None) if encoding in (None, "utf-8") else _decode_as(body, encoding or "")
    if "\0" in text:
        raise _null(text.index("\0"), LINE_END.findall(text, 0, text.index("\0")))
    return text


def declared_encoding(data: bytes, path: str = "") -> str | None:
    """The encoding that the file names for itself, normalised as CPython does; None where it names none.

    Raises ``TroubleError`` when a byte order mark is contradicted.
    """
    with_bom = data.startswith(BOM)
    cookie = None if deployment_kind(os.path.basename(path)) else _cookie(data.removeprefix(BOM))
    if with_bom and cookie not in (None, "utf-8"):
        raise _undecodable(f"declares the encoding `{cookie}` but begins with a UTF-8 byte order mark")
    return "utf-8" if with_bom else cookie


def _cookie(data: bytes) -> str | None:
    for line in _LINE_END_BYTES.split(data[: _end_of_second_line(data)])[:2]:
        match = _COOKIE.match(line)
        if match:
            return _normal(match.group(1).decode("ascii", "replace"))
        if not _BLANK.match(line):
            return None
    return None


def _end_of_second_line(data: bytes) -> int:
    ends = [match.end() for match in islice(_LINE_END_BYTES.finditer(data), 2)]
    return ends[-1] if len(ends) == 2 else len(data)


def _normal(name: str) -> str:
    # CPython's get_normal_name: only these two families are renamed, and only their first 12 characters count
    head = name[:12].lower().replace("_", "-")
    if head == "utf-8" or head.startswith("utf-8-"):
        return "utf-8"
    if head in ("latin-1", "iso-8859-1", "iso-latin-1") or head.startswith(("latin-1-", "iso-8859-1-", "iso-latin-1-")):
        return "iso-8859-1"
    return name


def _decode_utf8(body: bytes, declared: bool) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = len(_LINE_END_BYTES.findall(body, 0, error.start)) + 1
        why = "the file is declared as UTF-8" if declared else "no encoding is declared"
        message = f"byte 0x{body[error.start]:02x} is not UTF-8, and {why}"
        raise TroubleError(Trouble("SHD902", message, line, _column(body, error.start))) from error


def _column(body: bytes, offset: int) -> int:
    start = max(body.rfind(b"\n", 0, offset), body.rfind(b"\r", 0, offset)) + 1
    return len(body[start:offset].decode("utf-8", "replace")) + 1


def _decode_as(body: bytes, encoding: str) -> str:
    import codecs

    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError) as error:
        raise _undecodable(f"unknown encoding: {encoding}") from error
    try:
        text = body.decode(encoding)
        text.encode("utf-8")
    except UnicodeDecodeError as error:
        line = len(_LINE_END_BYTES.findall(body, 0, error.start)) + 1
        message = (
            f"byte 0x{body[error.start]:02x} cannot be decoded as {encoding}" if error.start < len(body) else str(error)
        )
        raise TroubleError(Trouble("SHD902", message, line)) from error
    except (LookupError, ValueError) as error:
        raise _undecodable(f"`{encoding}` does not decode this file to text") from error
    return text


def _undecodable(message: str) -> TroubleError:
    return TroubleError(Trouble("SHD902", message))


def _null(offset: int, ends: list[bytes] | list[str]) -> TroubleError:
    return TroubleError(Trouble("SHD900", f"source contains null byte at offset {offset}", len(ends) + 1))
