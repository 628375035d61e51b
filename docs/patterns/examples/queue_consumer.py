"""A consumer of messages: the one in hand is acknowledged, then it leaves its group."""

import signal
import sys
import time


class Broker:
    """poll, ack and close, as in a client of Kafka or AMQP."""

    def __init__(self) -> None:
        self.polled = 0
        self.acknowledged = 0

    def poll(self, timeout: float) -> int:
        time.sleep(min(timeout, 0.02))
        self.polled += 1
        return self.polled

    def ack(self, message: int) -> None:
        self.acknowledged = message

    def close(self) -> None:
        print("consumer closed, not acknowledged:", self.polled - self.acknowledged)


def main() -> int:
    received: list[int] = []
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda signum, frame: received.append(signum))
    broker = Broker()
    try:
        print("ready", flush=True)
        while not received:
            # a limit, or the flag is never seen on a quiet day
            message = broker.poll(timeout=0.5)
            broker.ack(message)
    finally:
        # leaves the group at once: nobody waits for its session to expire
        broker.close()
    return 128 + received[0]


if __name__ == "__main__":
    sys.exit(main())
