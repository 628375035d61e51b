"""What goes wrong with configurations."""

from __future__ import annotations


class ConfigError(Exception):
    """A configuration cannot be used. The message has a line for each mistake, with file and key."""
