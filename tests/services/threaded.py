"""A worker with a feeder thread and a journal: SIGTERM sets an event, the main loop ends, everything is stopped in order."""

import queue
import signal
import sys
import threading
import time


class Feeder:
    def __init__(self, jobs):
        self._jobs = jobs
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self):
        self._thread.start()

    def _run(self):
        while not self._stopping.wait(0.05):
            self._jobs.put(time.time())

    def stop(self):
        self._stopping.set()
        self._thread.join(timeout=5)


class Journal:
    def __init__(self, path):
        self._stream = open(path, "w")  # noqa: SIM115

    def write(self, job):
        self._stream.write(f"{job}\n")

    def close(self):
        self._stream.close()


def main(path):
    jobs = queue.Queue(100)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda signum, frame: stopping.set())
    journal = Journal(path)
    feeder = Feeder(jobs)
    feeder.start()
    print("ready", flush=True)
    while not stopping.is_set():
        try:
            journal.write(jobs.get(timeout=0.2))
        except queue.Empty:
            pass
    feeder.stop()
    journal.close()


if __name__ == "__main__":
    main(sys.argv[1])
