"""A service that forgets its executor when it is closed."""

#| shows = "the exit waits for every queued job"
#| unsafe = true
#| [[run]]
#| signal = "SIGTERM"
#| before = { hang = true, out = "closed" }
#| after = { code = 143, out = "closed" }

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor


class Service:
    def __init__(self):
        self._pool = ThreadPoolExecutor(1)

    def add(self, seconds):
        return self._pool.submit(time.sleep, seconds)

    def close(self):
        print("closed", flush=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
service = Service()
try:
    for _ in range(100):
        service.add(0.1)
    os.write(1, b"ready\n")
    while True:
        time.sleep(0.05)
finally:
    service.close()
