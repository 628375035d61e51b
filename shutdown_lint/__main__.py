"""``python -m shutdown_lint``."""

import os
import sys

# -m puts the current folder first: a linted `re.py` must never be imported in place of the real one.
if not getattr(sys.flags, "safe_path", False):
    sys.path[:] = [entry for entry in sys.path if entry not in ("", os.curdir, os.getcwd())]

from shutdown_lint.cli import command

if __name__ == "__main__":
    sys.exit(command())
