"""The child becomes another program."""

#| reason = ""

import os
import tempfile


def main():
    with tempfile.TemporaryDirectory():
        pid = os.fork()
        if pid == 0:
            os.execvp("true", ["true"])
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
