"""The loop waits for the queue without limit: a join would hang."""

#| reason = "may wait without limit for something else"

import queue
import sqlite3
import threading


class Writer:
    def __init__(self, path):
        self._path = path
        self._stop = threading.Event()
        self._jobs = queue.Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        db = sqlite3.connect(self._path)
        try:
            while not self._stop.is_set():
                db.execute("insert into jobs values (?)", self._jobs.get())
        finally:
            db.commit()

    def close(self):
        self._stop.set()


writer = Writer("jobs.db")
writer.close()
