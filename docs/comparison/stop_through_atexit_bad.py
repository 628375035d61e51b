import atexit
import threading

stop = threading.Event()


def work() -> None:
    while not stop.wait(0.1):
        pass


def main() -> None:
    atexit.register(stop.set)  # here
    threading.Thread(target=work).start()


if __name__ == "__main__":
    main()
