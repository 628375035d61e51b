"""A poller whose `stop` forgets its thread."""

#| shows = "the exit waits for the thread for ever"
#| unsafe = true
#| [[run]]
#| signal = "SIGTERM"
#| before = { hang = true, out = "disconnected" }
#| after = { code = 143, out = "drained\ndisconnected" }

import os
import signal
import sys
import threading
import time


class Poller:
    def __init__(self):
        self.running = True
        self._worker = threading.Thread(target=self._run)
        self._worker.start()

    def _run(self):
        while self.running:
            time.sleep(0.02)
        print("drained", flush=True)

    def stop(self):
        # the last thing to do
        print("disconnected", flush=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
poller = Poller()
try:
    os.write(1, b"ready\n")
    while True:
        time.sleep(0.05)
finally:
    poller.stop()
