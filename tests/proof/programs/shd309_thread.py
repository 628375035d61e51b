"""A program that works in a thread."""

#| shows = "the work is done in the wrong thread"
#| unsafe = true
#| [[run]]
#| before = { out = "upload 3 in MainThread" }
#| after = { out = "upload 3 in worker" }

import threading


def work(job, retries=1):
    print(job, retries, "in", threading.current_thread().name, flush=True)


worker = threading.Thread(target=work("upload", retries=3), name="worker")
worker.start()
worker.join()
