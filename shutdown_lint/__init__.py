"""shutdown-lint: what a Python program loses, leaves behind or hangs on when it is asked to stop."""

__version__ = "0.1.0"
