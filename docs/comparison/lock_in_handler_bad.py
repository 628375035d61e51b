import signal
import threading
import time

lock = threading.Lock()
state = {"stop": False}


def on_term(signum: int, frame: object) -> None:
    with lock:  # here
        state["stop"] = True


def main() -> None:
    signal.signal(signal.SIGTERM, on_term)
    while True:
        with lock:
            if state["stop"]:
                return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
