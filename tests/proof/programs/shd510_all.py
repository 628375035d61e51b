"""A service whose parts tell whether they could be shut down."""

#| shows = "the other parts are not shut down"
#| unsafe = true
#| [[run]]
#| args = ["fail"]
#| before = { code = 1, out = "a: False" }
#| after = { code = 1, out = "a: False\nb: True\nc: True" }
#| [[run]]
#| before = { out = "a: True\nb: True\nc: True" }

import sys


class Part:
    def __init__(self, name):
        self.name = name

    def shutdown(self):
        done = sys.argv[1:] != ["fail"] or self.name != "a"
        print(f"{self.name}: {done}", flush=True)
        return done


def shutdown(parts):
    return all(part.shutdown() for part in parts)


sys.exit(0 if shutdown([Part("a"), Part("b"), Part("c")]) else 1)
