"""What was uploaded, one JSON line a document; written in blocks."""

import json
import threading
import time


class Journal:
    def __init__(self, path):
        self._path = path
        self._lines = []
        self._lock = threading.Lock()

    def __enter__(self):
        threading.Thread(target=self._flush_for_ever, daemon=True).start()
        return self

    def __exit__(self, *exc_info):
        self.flush()

    def add(self, name, size):
        with self._lock:
            self._lines.append(json.dumps({"name": name, "size": size}))

    def flush(self):
        with self._lock:
            lines, self._lines = self._lines, []
        with open(self._path, "a") as out:
            out.writelines(f"{line}\n" for line in lines)

    def _flush_for_ever(self):
        while True:
            time.sleep(5)
            self.flush()
