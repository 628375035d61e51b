"""A service that cleans up on SIGTERM."""

#| shows = "the program does not start"
#| [[run]]
#| signal = "SIGTERM"
#| before = { code = 1, out = "cleanup", err = "TypeError" }
#| after = { code = 143, out = "cleanup" }
#| [[run]]
#| args = ["once"]
#| before = { out = "worked" }

import os
import signal
import sys
import time


class Service:
    def stop(self, signum=None, frame=None):
        print("cleanup", flush=True)
        if signum:
            sys.exit(128 + signum)


if sys.argv[1:] == ["once"]:
    print("worked", flush=True)
    sys.exit()
service = Service()
signal.signal(signal.SIGTERM, service.stop())
os.write(1, b"ready\n")
while True:
    time.sleep(0.05)
