"""A tool whose cleanup ends with a `return`."""

#| shows = "the exit request"
#| unsafe = true
#| [[run]]
#| before = { out = "cleanup\nwent on" }
#| after = { code = 3, out = "cleanup" }
#| [[run]]
#| args = ["file"]
#| before = { out = "file\ncleanup\nwent on" }

import sys


def load(names):
    if not names:
        sys.exit(3)
    print(*names, flush=True)


def run():
    done = False
    try:
        load(sys.argv[1:])
        done = True
    finally:
        print("cleanup", flush=True)
        return done


run()
print("went on", flush=True)
