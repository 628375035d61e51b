import sys
import threading


def work() -> None:
    print("fatal")
    sys.exit(3)  # here


def main() -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
