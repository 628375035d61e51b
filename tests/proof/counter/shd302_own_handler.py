"""SIGINT has a handler of its own, which a KeyboardInterrupt would pass by."""

#| reason = "SIGINT has a handler of its own"

import os
import signal
import sys
import time


def stop(signum, frame):
    os.unlink("poller.pid")
    sys.exit(0)


def main():
    signal.signal(signal.SIGINT, stop)
    try:
        while True:
            time.sleep(1)
    finally:
        os.unlink("poller.lock")


if __name__ == "__main__":
    main()
