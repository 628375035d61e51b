"""A worker thread with a queue: it looks at `stop` between jobs, and is joined."""

import queue
import signal
import sys
import threading

stop = threading.Event()
jobs: "queue.Queue[str]" = queue.Queue()


def work() -> None:
    while not stop.is_set():
        try:
            # a limit, or `stop` is never seen on a quiet day
            job = jobs.get(timeout=0.2)
        except queue.Empty:
            continue
        try:
            print("did", job, flush=True)
        finally:
            jobs.task_done()
    print("worker: drained and closed")


def main() -> int:
    received: list[int] = []
    for signum in (signal.SIGTERM, signal.SIGINT):
        # no lock, no I/O
        signal.signal(signum, lambda signum, frame: received.append(signum))
    worker = threading.Thread(target=work, name="worker")
    worker.start()
    try:
        jobs.put("a job")
        print("ready", flush=True)
        while not received:
            worker.join(0.2)
    finally:
        stop.set()
        worker.join(timeout=5)
        if worker.is_alive():
            print("worker: still busy, left", file=sys.stderr)
        print("main: cleanup done")
    return 128 + received[0]


if __name__ == "__main__":
    sys.exit(main())
