"""The exit code may be a text, which `os._exit` does not take."""

#| reason = "the exit code is not a number"

import os
import sys
import tempfile


def work():
    return None


def main():
    with tempfile.TemporaryDirectory():
        pid = os.fork()
        if pid == 0:
            sys.exit(work() or "failed")
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
