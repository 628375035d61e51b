import sys


def step(name: str) -> bool:
    try:
        if not name:
            sys.exit(3)
        print(name)
    finally:
        return True  # here


if __name__ == "__main__":
    step(sys.argv[1])
