"""A spool whose thread commits its lines to a database when it ends, and is a daemon."""

#| shows = "the lines that were not committed yet"
#| unsafe = true
#| [[run]]
#| args = ["put"]
#| before = { out = "closed", files = { "note.txt" = "" } }
#| after = { out = "closed", files = { "note.txt" = "1 lines committed" } }

import sqlite3
import threading
import time

note = open("note.txt", "w")


class Spool:
    def __init__(self):
        self._stop = threading.Event()
        self._lines = []
        self.begun = threading.Event()
        self._thread = threading.Thread(target=self._flush, daemon=True)
        self._thread.start()

    def put(self, line):
        self._lines.append(line)

    def _flush(self):
        db = sqlite3.connect(":memory:")
        db.execute("create table lines (line)")
        try:
            while not self._stop.is_set():
                self.begun.set()
                time.sleep(0.2)
            db.executemany("insert into lines values (?)", [(line,) for line in self._lines])
        finally:
            db.commit()
            note.write(f"{len(self._lines)} lines committed")
            note.flush()

    def close(self):
        """End the spool."""
        self._stop.set()
        print("closed", flush=True)


spool = Spool()
spool.put("one")
spool.begun.wait()
spool.close()
