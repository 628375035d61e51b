"""A fleet of consumers: one process for each shard, told to stop by the supervisor that systemd starts."""

import multiprocessing
import os
import signal
import sys
import time

from consumers.shard import consume


class Fleet:
    def __init__(self, size):
        self.size = size
        self.running = True
        self.shards = []

    def on_term(self, signum, frame):
        self.running = False

    def start(self):
        signal.signal(signal.SIGTERM, self.on_term)
        for number in range(self.size):
            process = multiprocessing.Process(target=consume, args=(number,))
            process.start()
            self.shards.append(process)

    def run(self):
        self.start()
        while self.running and all(process.is_alive() for process in self.shards):
            time.sleep(0.5)
        self.stop()

    def stop(self):
        for process in self.shards:
            if process.is_alive():
                os.kill(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 15
        for process in self.shards:
            process.join(max(deadline - time.monotonic(), 0))
        for process in self.shards:
            if process.is_alive():
                process.kill()
                process.join()


if __name__ == "__main__":
    Fleet(int(sys.argv[1])).run()
