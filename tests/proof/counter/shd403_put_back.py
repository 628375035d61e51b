"""What is put back is not reported, so that `join()` waits for it."""

#| reason = "on purpose"

import queue
import threading

jobs = queue.Queue()


def worker():
    while True:
        item = jobs.get()
        if not item.ready():
            jobs.put(item)
            continue
        item.run()
        jobs.task_done()


def main(items):
    threading.Thread(target=worker, daemon=True).start()
    for item in items:
        jobs.put(item)
    jobs.join()
