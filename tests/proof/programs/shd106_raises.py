"""A tool whose forked child ends by `os._exit`, unless its work raises."""

#| shows = "the parent's folder is removed by the child"
#| unsafe = true
#| [[run]]
#| args = ["fail"]
#| before = { out = "folder is there: False", err = "OSError" }
#| after = { out = "folder is there: True", err = "OSError" }
#| [[run]]
#| before = { out = "folder is there: True" }

import os
import sys
import tempfile


def work(folder):
    with open(os.path.join(folder, "part"), "w") as part:
        part.write("done")
        if sys.argv[1:] == ["fail"]:
            raise OSError("broken")


def main():
    with tempfile.TemporaryDirectory() as folder:
        pid = os.fork()
        if pid == 0:
            work(folder)
            os._exit(0)
        os.waitpid(pid, 0)
        print("folder is there:", os.path.exists(folder), flush=True)


if __name__ == "__main__":
    main()
