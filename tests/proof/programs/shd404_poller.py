"""A service that polls, and whose thread is told to stop and joined."""

#| shows = "the stop waits until the sleep is over"
#| [[run]]
#| signal = "SIGTERM"
#| args = ["30"]
#| before = { hang = true, out = "polled" }
#| after = { code = 143, out = "polled\ncleanup" }
#| [[run]]
#| signal = "SIGTERM"
#| args = ["0.01"]
#| before = { code = 143, out = "polled\ncleanup" }

import os
import signal
import sys
import threading
import time


class Poller:
    def __init__(self, interval):
        self._stop = threading.Event()
        self._interval = interval
        self.polled = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            if not self.polled.is_set():
                print("polled", flush=True)
                self.polled.set()
            time.sleep(self._interval)  # seconds

    def close(self):
        self._stop.set()
        self._thread.join()
        print("cleanup", flush=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
poller = Poller(float(sys.argv[1]))
try:
    poller.polled.wait()
    os.write(1, b"ready\n")
    while True:
        time.sleep(0.05)
finally:
    poller.close()
