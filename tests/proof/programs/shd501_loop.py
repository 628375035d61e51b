"""A service whose loop logs every error and goes on."""

#| shows = "SIGTERM is swallowed"
#| unsafe = true
#| [[run]]
#| signal = "SIGTERM"
#| before = { hang = true, out = "error" }
#| after = { code = 143, out = "cleanup" }

import os
import signal
import sys
import time

begun = []


def step():
    if not begun:
        begun.append(True)
        os.write(1, b"ready\n")
    time.sleep(0.2)


def serve():
    while True:
        try:
            step()
        except:  # whatever goes wrong
            print("error", flush=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    serve()
finally:
    print("cleanup", flush=True)
