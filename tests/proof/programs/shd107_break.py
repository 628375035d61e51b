"""A loop that is left in the cleanup."""

#| shows = "Ctrl-C"
#| unsafe = true
#| [[run]]
#| signal = "SIGINT"
#| before = { out = "cleanup\nwent on" }
#| after = { code = -2, out = "cleanup", err = "KeyboardInterrupt" }

import os
import time


def run():
    while True:
        try:
            os.write(1, b"ready\n")
            time.sleep(60)
        finally:
            print("cleanup", flush=True)
            break


run()
print("went on", flush=True)
