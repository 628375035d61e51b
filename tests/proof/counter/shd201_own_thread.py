"""The thread itself calls `stop`: it cannot join itself."""

#| reason = "the thread itself may call"

import threading
import time


class Poller:
    def __init__(self, source):
        self._source = source
        self.running = True
        self._worker = threading.Thread(target=self._run)
        self._worker.start()

    def _run(self):
        while self.running:
            if not self._source.poll():
                self.stop()
            time.sleep(1)

    def stop(self):
        self._source.disconnect()
