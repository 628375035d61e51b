"""A program that writes a summary at its end."""

#| shows = "the callback runs at once, and never at the end"
#| [[run]]
#| before = { code = 1, out = "summary [] !", err = "TypeError" }
#| after = { out = "summary ['work'] !" }
#| [[run]]
#| args = ["quiet"]
#| before = { out = "work" }

import atexit
import sys

lines = []


def close(name, mark="."):
    print(name, lines, mark, flush=True)


if sys.argv[1:] == ["quiet"]:
    print("work", flush=True)
    sys.exit()
atexit.register(close("summary", mark="!"))  # last thing to do
lines.append("work")
