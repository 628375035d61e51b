import sys


def main() -> None:
    print("no configuration")
    sys.exit(2)


if __name__ == "__main__":
    main()
