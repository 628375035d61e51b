"""In an exit callback, `sys.exit` is swallowed: the exit code would be 0."""

#| reason = "main thread"

import atexit
import os
import sys


def leave():
    os._exit(4)


def main():
    atexit.register(print, "bye")
    atexit.register(leave)
    with open(sys.argv[0]) as source:
        print(source.read())


if __name__ == "__main__":
    main()
