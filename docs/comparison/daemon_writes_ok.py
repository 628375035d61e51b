import threading
import time

stop = threading.Event()


def record() -> None:
    with open("samples.txt", "w", encoding="utf-8") as out:
        while not stop.wait(0.1):
            out.write("sample\n")


def main() -> None:
    thread = threading.Thread(target=record)
    thread.start()
    try:
        time.sleep(5)
    finally:
        stop.set()
        thread.join(timeout=5)


if __name__ == "__main__":
    main()
