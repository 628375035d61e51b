import sys
from concurrent.futures import ThreadPoolExecutor


def work() -> int:
    print("fatal")
    return 3


def main() -> int:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


if __name__ == "__main__":
    sys.exit(main())
