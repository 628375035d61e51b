import threading

stop = threading.Event()


def work() -> None:
    while not stop.wait(0.1):
        pass


def main() -> None:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        print("working")
    finally:
        stop.set()
        thread.join(timeout=5)


if __name__ == "__main__":
    main()
