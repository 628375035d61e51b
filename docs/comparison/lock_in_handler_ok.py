import signal
import time

state = {"stop": False}


def on_term(signum: int, frame: object) -> None:
    state["stop"] = True


def main() -> None:
    signal.signal(signal.SIGTERM, on_term)
    while True:
        if state["stop"]:
            return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
