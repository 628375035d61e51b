"""Uploads, in a thread of their own."""

import queue
import sys
import threading
import urllib.error
import urllib.request


class Uploader:
    def __init__(self, token, journal):
        self._token = token
        self._journal = journal
        self._queue = queue.Queue()
        self._running = True
        self._thread = threading.Thread(target=self._run)

    def start(self):
        self._thread.start()

    def put(self, path):
        self._queue.put(path)

    def stop(self):
        self._running = False
        self._thread.join()

    def _run(self):
        while self._running:
            path = self._queue.get()
            self._upload(path)

    def _upload(self, path):
        request = urllib.request.Request(
            "https://archive.example/documents", data=path.read_bytes(), headers={"Authorization": self._token}
        )
        try:
            urllib.request.urlopen(request, timeout=60).close()
        except urllib.error.HTTPError as error:
            if error.code == 401:
                sys.exit("relay: the upload token is not valid any more")
            raise
        self._journal.add(path.name, path.stat().st_size)
