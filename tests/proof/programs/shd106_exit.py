"""A tool whose forked child ends by `sys.exit` in the midst of its parent's cleanup."""

#| shows = "the cleanup runs twice"
#| unsafe = true
#| [[run]]
#| before = { out = "child\ncleanup\nparent\ncleanup" }
#| after = { out = "child\nparent\ncleanup" }
#| [[run]]
#| args = ["fail"]
#| before = { out = "child\ncleanup\nparent\ncleanup", err = "OSError" }
#| after = { out = "child\nparent\ncleanup", err = "OSError" }

import os
import sys


def work():
    print("child", flush=True)
    if sys.argv[1:] == ["fail"]:
        raise OSError("broken")


def main():
    try:
        pid = os.fork()
        if pid == 0:
            work()  # all of it
            sys.exit(0)
        os.waitpid(pid, 0)
        print("parent", flush=True)
    finally:
        print("cleanup", flush=True)


if __name__ == "__main__":
    main()
