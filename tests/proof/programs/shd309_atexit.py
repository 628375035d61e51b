"""A program that writes a summary at its end."""

import atexit

lines = []


def close(name, mark="."):
    print(name, lines, mark, flush=True)


atexit.register(close("summary", mark="!"))  # last thing to do
lines.append("work")
