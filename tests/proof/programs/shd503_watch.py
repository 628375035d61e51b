"""A program that looks for changes until it is killed."""

#| shows = "Ctrl-C does not end the loop"
#| unsafe = true
#| [[run]]
#| signal = "SIGINT"
#| before = { hang = true }
#| after = { out = "cleanup" }

import os
import time


def watch():
    os.write(1, b"ready\n")
    while True:
        try:
            time.sleep(0.05)
        except KeyboardInterrupt:
            pass


watch()
print("cleanup", flush=True)
