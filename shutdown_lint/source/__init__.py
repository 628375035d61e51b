"""Input: which files there are, what they are called as modules, and their text.

=============  ===================================================================
``discover``   files below the paths given; excludes, ``.gitignore``, symlinks
``ignores``    exclude patterns and ``.gitignore`` files
``names``      dotted module names from paths
``reading``    bytes of regular files only, digests
``decoding``   text from bytes, as CPython decodes source
=============  ===================================================================
"""

from __future__ import annotations

from shutdown_lint.source.decoding import decode
from shutdown_lint.source.discover import Found, discover
from shutdown_lint.source.names import SourceFile, name_files
from shutdown_lint.source.reading import digest, read_bytes, read_text
from shutdown_lint.source.trouble import PASSING, Trouble, TroubleError

__all__ = [
    "PASSING",
    "Found",
    "SourceFile",
    "Trouble",
    "TroubleError",
    "decode",
    "digest",
    "discover",
    "name_files",
    "read_bytes",
    "read_text",
]
