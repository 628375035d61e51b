"""What goes wrong with baselines and revisions."""

from __future__ import annotations


class AdoptionError(Exception):
    """A baseline or a revision cannot be used; the message is for the user."""
