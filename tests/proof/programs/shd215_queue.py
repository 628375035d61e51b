"""A service that runs jobs, and is told to stop while many are queued."""

#| shows = "the stop lasts as long as the queue"
#| unsafe = true
#| [[run]]
#| signal = "SIGTERM"
#| before = { hang = true }
#| after = { code = 143, out = "cleanup" }

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor


class Service:
    def __init__(self):
        self.pool = ThreadPoolExecutor(1)

    def add(self, seconds):
        self.pool.submit(time.sleep, seconds)

    def stop(self):
        self.pool.shutdown()
        print("cleanup", flush=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
service = Service()
try:
    for _ in range(100):
        service.add(0.1)
    os.write(1, b"ready\n")
    while True:
        time.sleep(0.05)
finally:
    service.stop()
