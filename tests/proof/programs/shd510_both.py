"""A copy whose two ends tell by their exit codes whether they could be closed."""

#| shows = "the second end is not closed"
#| unsafe = true
#| [[run]]
#| args = ["fail"]
#| before = { code = 1, out = "close source" }
#| after = { code = 1, out = "close source\nclose target" }
#| [[run]]
#| before = { out = "close source\nclose target" }

import sys


class End:
    def __init__(self, name):
        self.name = name

    def close(self):
        print("close", self.name, flush=True)
        return int(sys.argv[1:] == ["fail"])


def copy(source, target):
    if source.close() or target.close():
        return 1
    return 0


sys.exit(copy(End("source"), End("target")))
