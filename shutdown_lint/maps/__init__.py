"""The shutdown map: what happens between a signal, or the end of a program, and its last line, on an axis of time."""

from __future__ import annotations

from shutdown_lint.maps.building import build
from shutdown_lint.maps.records import Left, Map, Program, Row, Stretch, Way

__all__ = ["Left", "Map", "Program", "Row", "Stretch", "Way", "build"]
