"""A worker that sleeps in the midst of its loop: what follows runs once more when it is told to stop."""

#| shows = "the stop waits until the sleep is over"
#| unsafe = true
#| [[run]]
#| signal = "SIGTERM"
#| before = { hang = true }
#| after = { code = 143, out = "flushed\ncleanup" }

import os
import signal
import sys
import threading
import time

stop = threading.Event()


def work():
    while not stop.is_set():
        time.sleep(60)
        print("flushed", flush=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
worker = threading.Thread(target=work)
worker.start()
try:
    os.write(1, b"ready\n")
    while True:
        time.sleep(0.05)
finally:
    stop.set()
    worker.join()
    print("cleanup", flush=True)
