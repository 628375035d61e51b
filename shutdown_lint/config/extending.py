"""``extend``: a configuration that begins with another one.

Globs of the extended file count as if they stood in the file that extends it; names of files (models, a baseline) start
from the folder of the file that they stand in.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from shutdown_lint.config import files
from shutdown_lint.config.errors import ConfigError
from shutdown_lint.config.files import Layer, parse
from shutdown_lint.config.merging import merge, with_absolute_files
from shutdown_lint.config.schema import check

MAX_DEPTH = 16


def find(paths: Iterable[str]) -> Layer:
    """The configuration of the paths, see ``files.find``, with what it extends."""
    return _extended(files.find(paths))


def read(path: str) -> Layer:
    """The configuration of a file that was named, see ``files.read``, with what it extends."""
    return _extended(files.read(path))


def inline(text: str) -> dict[str, Any]:
    """The checked values of a ``--config KEY=VALUE``."""
    values = check(parse(text, "--config"), "--config")
    for key in ("extend", "required-version"):
        if key in values:
            raise ConfigError(f"--config: `{key}` can only stand in a file")
    return values


def _extended(layer: Layer) -> Layer:
    if "extend" not in layer.values:
        return layer
    values, path, seen, chain = layer.values, layer.path, [os.path.realpath(layer.path)], [layer.path]
    while "extend" in values:
        base = os.path.join(os.path.dirname(os.path.abspath(path)), os.path.expanduser(values["extend"]))
        where = f"{path}: `extend`"
        if os.path.realpath(base) in seen:
            raise ConfigError(f"{where} is circular: {' → '.join([*chain, base])}")
        if len(seen) > MAX_DEPTH:
            raise ConfigError(f"{where}: more than {MAX_DEPTH} files extend each other")
        found = files.read(base)
        rest = {key: value for key, value in values.items() if key != "extend"}
        values = merge(with_absolute_files(found.values, os.path.dirname(base)), rest)
        if "extend" in found.values:
            values["extend"] = found.values["extend"]
        path = base
        seen.append(os.path.realpath(base))
        chain.append(base)
    return layer._replace(values=values)
