"""Time spans as the formats write them, in seconds; None for what is no time span (a variable, a typing error)."""

from __future__ import annotations

import math
import re

# systemd.time(7); Go's time.ParseDuration, which compose uses, knows h, m, s, ms, us, ns
_UNITS = {
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "usec": 1e-6, "ns": 1e-9, "d": 86400.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip
_PART = re.compile(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*([a-z]*)")


def seconds(text: str) -> float | None:
    """``1m30s``, ``1min 30s``, ``90``, ``infinity``."""
    text = text.strip().strip("\"'").lower()
    if text == "infinity":
        return math.inf
    total, position = 0.0, 0
    while position < len(text):
        match = _PART.match(text, position)
        if not match or (match.group(2) and match.group(2) not in _UNITS):
            return None
        total += float(match.group(1)) * _UNITS.get(match.group(2), 1.0)
        position = match.end()
    return total if text else None


def shown(value: float) -> str:
    """``10 s``."""
    return "no limit" if math.isinf(value) else f"{value:g} s"
