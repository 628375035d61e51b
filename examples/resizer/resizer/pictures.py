"""Pictures, and the index of those that are done."""

import threading


class Index:
    def __init__(self, path):
        self._lock = threading.Lock()
        self._file = open(path, "a", encoding="utf-8")

    def add(self, picture):
        with self._lock:
            if not self._file.closed:
                self._file.write(f"{picture}\n")
                self._file.flush()

    def close(self):
        with self._lock:
            self._file.close()


def resize(picture):
    picture.rename(picture.with_suffix(".done"))
    return picture.name
