"""The clause catches more than the exit."""

#| reason = "does not catch `SystemExit` alone"

import sys


def load(path):
    if not path:
        sys.exit(3)


def main():
    try:
        load("")
    except (SystemExit, OSError):
        print("stopped")


main()
