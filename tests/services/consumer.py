"""A consumer with worker threads: the handler notes the signal, a method of the loop sees it, stops the workers and raises."""

import os
import queue
import signal
import sys
import threading
import time


class Stopped(Exception):
    pass


class Consumer:
    def __init__(self, path, workers=2, patience=3):
        self._signum = None
        self._graceful = True
        self._stopping = threading.Event()
        self._jobs = queue.Queue()
        self._out = open(path, "w")  # noqa: SIM115
        self._patience = patience
        self._actions = {signal.SIGINT: False, signal.SIGTERM: True}
        self._workers = [threading.Thread(target=self._work) for _ in range(workers)]

    def _work(self):
        while not self._stopping.is_set():
            try:
                self._jobs.get(timeout=0.05)
            except queue.Empty:
                pass

    def _handle(self, signum, frame):
        self._signum = signum
        self._graceful = self._actions[signum]

    def start(self):
        for worker in self._workers:
            worker.start()
        for signum in self._actions:
            signal.signal(signum, self._handle)

    def stop(self, graceful=False):
        self._stopping.set()
        if graceful:
            self._join()

    def _join(self):
        deadline = time.monotonic() + 3
        for worker in self._workers:
            worker.join(max(deadline - time.monotonic(), 0))

    def loop(self):
        self._jobs.put(os.getpid())
        stopped = self._stopping.wait(timeout=0.1)
        if self._signum is not None:
            self.stop(graceful=self._graceful)
            stopped = True
        if stopped:
            raise Stopped

    def run(self):
        self.start()
        print("ready", flush=True)
        while True:
            try:
                self.loop()
            except Stopped:
                break
        self._out.close()


def consume(path):
    Consumer(path).run()


COMMANDS = {"consume": consume}


def main(args):
    command = args[1] if len(args) > 2 else "consume"
    COMMANDS[command](args[-1])


if __name__ == "__main__":
    main(sys.argv)
