"""A service whose handler is a method that takes the number of the signal only."""

#| shows = "the cleanup, because the handler cannot be called"
#| [[run]]
#| signal = "SIGTERM"
#| before = { code = 1, err = "TypeError" }
#| after = { code = 143, out = "cleanup" }
#| [[run]]
#| args = ["once"]
#| before = { code = 130, out = "cleanup" }

import os
import signal
import sys
import time


class Service:
    def __init__(self):
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, signum):
        print("cleanup", flush=True)
        sys.exit(128 + signum)


service = Service()
if sys.argv[1:] == ["once"]:
    service.stop(signal.SIGINT)
os.write(1, b"ready\n")
while True:
    time.sleep(0.05)
