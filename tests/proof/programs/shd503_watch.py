"""A program that looks for changes until it is killed."""

#| shows = "Ctrl-C does not end the loop"
#| unsafe = true
#| [[run]]
#| signal = "SIGINT"
#| before = { hang = true }
#| after = { out = "cleanup" }

import os
import time

begun = []


def step():
    if not begun:
        begun.append(True)
        os.write(1, b"ready\n")
    time.sleep(0.2)


def watch():
    while True:
        try:
            step()
        except KeyboardInterrupt:
            pass


watch()
print("cleanup", flush=True)
