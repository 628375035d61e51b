"""The exception belongs to a library."""

#| reason = "not a class of the project"

import signal
import time


def stop(signum, frame):
    raise RuntimeError("stop")


def serve():
    while True:
        try:
            time.sleep(1)
        except Exception:
            print("failed")


signal.signal(signal.SIGTERM, stop)
serve()
