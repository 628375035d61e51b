"""shutdown-lint: what a Python program loses, leaves behind or hangs on when it is asked to stop.

The names in ``__all__`` are the Python API, which docs/api.md describes; they are imported when they are first used.
"""

# Nothing is imported here, not even __future__: the current folder may still be on sys.path (see __main__).
TYPE_CHECKING = False
if TYPE_CHECKING:
    from shutdown_lint.api import (
        AdoptionError,
        ConfigError,
        Edit,
        Finding,
        Fix,
        Report,
        Span,
        Step,
        check,
        check_source,
        edits,
        render,
    )

__version__ = "0.1.0"
__all__ = [
    "AdoptionError",
    "ConfigError",
    "Edit",
    "Finding",
    "Fix",
    "Report",
    "Span",
    "Step",
    "__version__",
    "check",
    "check_source",
    "edits",
    "render",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(__import__("shutdown_lint.api", fromlist=[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
