"""Resizes the pictures that come into a folder, by threads; SIGTERM ends it between two pictures."""

import queue
import signal
import sys
import threading
import time
from pathlib import Path

from resizer.pictures import Index, resize

running = True


def on_term(signum, frame):
    global running
    running = False


def work(jobs, stopping, index):
    while not stopping.is_set():
        try:
            picture = jobs.get(timeout=0.5)
        except queue.Empty:
            continue
        index.add(resize(picture))


def main(inbox):
    signal.signal(signal.SIGTERM, on_term)
    signal.signal(signal.SIGINT, on_term)
    jobs, stopping, index = queue.Queue(100), threading.Event(), Index("index.txt")
    threads = [threading.Thread(target=work, args=(jobs, stopping, index)) for _ in range(2)]
    for thread in threads:
        thread.start()
    while running:
        for picture in Path(inbox).glob("*.jpg"):
            try:
                jobs.put_nowait(picture)
            except queue.Full:
                break
        time.sleep(1)
    stopping.set()
    deadline = time.monotonic() + 12
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    index.close()


if __name__ == "__main__":
    main(sys.argv[1])
