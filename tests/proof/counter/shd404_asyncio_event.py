"""An event of asyncio: its `wait()` is a coroutine, the loop would run hot."""

#| reason = "not that of a `threading.Event`"

import asyncio
import threading
import time


class Poller:
    def __init__(self):
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            print("poll")
            time.sleep(30)

    def close(self):
        self._stop.set()
        self._thread.join()
