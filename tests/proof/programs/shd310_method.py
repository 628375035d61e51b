"""A service whose handler is a method that takes the number of the signal only."""

import signal
import sys
import time


class Service:
    def __init__(self):
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, signum):
        print("cleanup", flush=True)
        sys.exit(128 + signum)


Service()
print("ready", flush=True)
while True:
    time.sleep(0.05)
