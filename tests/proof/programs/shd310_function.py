"""A service whose handler is also called directly."""

import signal
import sys
import time


def stop():
    print("cleanup", flush=True)
    sys.exit(143)


signal.signal(signal.SIGTERM, stop)
try:
    print("ready", flush=True)
    while True:
        time.sleep(0.05)
except KeyboardInterrupt:
    stop()
