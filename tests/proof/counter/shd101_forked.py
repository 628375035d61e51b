"""In a forked child, `sys.exit` would run the parent's cleanup a second time."""

#| reason = ""

import os
import tempfile


def main():
    with tempfile.TemporaryDirectory():
        if os.fork() == 0:
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    main()
