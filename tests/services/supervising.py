"""A supervisor of child processes: the handler passes the signal on, the loop goes on until the children have ended."""

import multiprocessing
import os
import signal
import sys
import time


def child(started):
    running = True

    def stop(signum, frame):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    started.set()
    while running:
        time.sleep(0.05)
    time.sleep(0.2)


class Supervisor:
    def __init__(self, path):
        self.log = open(path, "w")  # noqa: SIM115
        self.children = []
        self.stopping = False

    def terminate(self):
        if self.stopping:
            return
        self.stopping = True
        self.kill_all(signal.SIGTERM)

    def kill_all(self, signum):
        for process in self.children:
            os.kill(process.pid, signum)

    def spawn(self):
        started = multiprocessing.Event()
        process = multiprocessing.Process(target=child, args=(started,))
        process.start()
        self.children.append(process)
        started.wait(30)

    def loop(self):
        def handle(signum, frame):
            self.terminate()

        for _ in range(2):
            self.spawn()
        signal.signal(signal.SIGTERM, handle)
        print("ready", flush=True)
        while any(process.exitcode is None for process in self.children):
            for process in self.children:
                process.join(timeout=0.1)
        self.log.close()


def main():
    Supervisor(sys.argv[1]).loop()
    sys.exit(0)


if __name__ == "__main__":
    main()
