"""A script: cleanup in `finally` and `with`, for Ctrl-C and SIGTERM alike."""

import atexit
import signal
import sys
import tempfile
import time


def work() -> None:
    with tempfile.TemporaryDirectory():
        try:
            print("ready", flush=True)
            for _ in range(300):
                time.sleep(0.1)
        finally:
            print("partial result saved")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
    atexit.register(print, "report written")
    try:
        work()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main())
