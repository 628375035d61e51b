"""A service that takes all errors lightly."""

#| shows = "SIGTERM is swallowed"
#| unsafe = true
#| [[run]]
#| signal = "SIGTERM"
#| before = { hang = true }
#| after = { code = 143, out = "cleanup" }

import contextlib
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
        with contextlib.suppress(BaseException):
            step()


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
try:
    serve()
finally:
    print("cleanup", flush=True)
