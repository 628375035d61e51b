"""Sentinels are reported where they are seen: a `finally` would report them twice, which raises ValueError."""

#| reason = "the function reports in several places"

import queue
import threading

jobs = queue.Queue()


def work(item):
    with open(item, encoding="utf-8") as source:
        print(source.read())


def worker():
    while True:
        item = jobs.get()
        if item is None:
            jobs.task_done()
            return
        work(item)
        jobs.task_done()


threading.Thread(target=worker).start()
jobs.put("jobs.txt")
jobs.put(None)
jobs.join()
