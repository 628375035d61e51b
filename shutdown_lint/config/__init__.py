"""Configuration: which file applies, what it may say, how mistakes are told, and the settings that come of it.

=============  ==========================================================
``files``      finding and reading files, the project root
``extending``  configurations that begin with others
``versions``   which versions of the tool a configuration is for
``schema``     keys, types, selectors
``merging``    layers of values, patterns from other folders, ``Settings``
=============  ==========================================================
"""

from __future__ import annotations

from shutdown_lint.config.errors import ConfigError
from shutdown_lint.config.extending import find, inline, read
from shutdown_lint.config.files import Layer, Root, find_root, load, parse
from shutdown_lint.config.merging import merge, model_file, rebase, required_python, to_settings
from shutdown_lint.config.schema import check, target_version

__all__ = [
    "ConfigError",
    "Layer",
    "Root",
    "check",
    "find",
    "find_root",
    "inline",
    "load",
    "merge",
    "model_file",
    "parse",
    "read",
    "rebase",
    "required_python",
    "target_version",
    "to_settings",
]
