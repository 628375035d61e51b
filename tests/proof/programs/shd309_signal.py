"""A service that cleans up on SIGTERM."""

import signal
import sys
import time


class Service:
    def stop(self, signum=None, frame=None):
        print("cleanup", flush=True)
        if signum:
            sys.exit(128 + signum)


service = Service()
signal.signal(signal.SIGTERM, service.stop())
print("ready", flush=True)
while True:
    time.sleep(0.05)
