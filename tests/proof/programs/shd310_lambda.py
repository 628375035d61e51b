"""A service whose handler is a lambda."""

import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda: sys.exit(143))
try:
    print("ready", flush=True)
    while True:
        time.sleep(0.05)
finally:
    print("left", flush=True)
