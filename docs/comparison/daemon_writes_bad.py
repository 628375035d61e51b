import threading
import time


def record() -> None:
    with open("samples.txt", "w", encoding="utf-8") as out:
        while True:
            out.write("sample\n")
            time.sleep(0.1)


def main() -> None:
    threading.Thread(target=record, daemon=True).start()  # here
    time.sleep(5)


if __name__ == "__main__":
    main()
