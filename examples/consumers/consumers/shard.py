"""One consumer: takes messages of its shard until it is told to stop, and commits what it has done."""

import signal
import sqlite3

import redis


class Shard:
    def __init__(self, number):
        self.running = True
        self.queue = f"messages:{number}"
        self.client = redis.Redis(host="queue", socket_timeout=5)
        self.done = sqlite3.connect(f"shard-{number}.db")

    def on_term(self, signum, frame):
        self.running = False

    def run(self):
        while self.running:
            found = self.client.blpop([self.queue], timeout=2)
            if found is not None:
                with self.done:
                    self.done.execute("INSERT INTO messages VALUES (?)", (found[1],))

    def close(self):
        self.done.close()
        self.client.close()


def consume(number):
    shard = Shard(number)
    signal.signal(signal.SIGTERM, shard.on_term)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        shard.run()
    finally:
        shard.close()
