"""A service whose handler raises an exception of its own, and whose loop logs all errors."""

#| shows = "the request to stop is taken for an error"
#| unsafe = true
#| [[run]]
#| signal = "SIGTERM"
#| before = { hang = true, out = "failed" }
#| after = { out = "cleanup" }

import os
import signal
import time

begun = []


class Shutdown(Exception):
    """Raised on SIGTERM."""


def stop(signum, frame):
    raise Shutdown


def step():
    if not begun:
        begun.append(True)
        os.write(1, b"ready\n")
    time.sleep(0.2)


def serve():
    while True:
        try:
            step()
        except Exception:
            print("failed", flush=True)


signal.signal(signal.SIGTERM, stop)
try:
    serve()
except Shutdown:
    print("cleanup", flush=True)
