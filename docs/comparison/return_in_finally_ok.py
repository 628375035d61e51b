import sys


def step(name: str) -> bool:
    try:
        if not name:
            sys.exit(3)
        print(name)
    finally:
        print("done")
    return True


if __name__ == "__main__":
    step(sys.argv[1])
