"""A tool that says goodbye."""

#| shows = "the exit code of a failure"
#| unsafe = true
#| [[run]]
#| args = []
#| before = { code = 0, out = "stopped" }
#| after = { code = 3, out = "stopped" }
#| [[run]]
#| args = ["file"]
#| before = { out = "file" }

import sys


def load(names):
    if not names:
        sys.exit(3)
    print(*names, flush=True)


def main():
    try:
        load(sys.argv[1:])
    except SystemExit:
        print("stopped", flush=True)


if __name__ == "__main__":
    main()
