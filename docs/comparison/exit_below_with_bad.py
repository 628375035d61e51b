import os
import sys


def check(rows: list[str]) -> None:
    if not rows:
        os._exit(2)  # here


def main() -> None:
    with open("export.csv", "w", encoding="utf-8") as out:
        check(sys.argv[1:])
        out.writelines(sys.argv[1:])


if __name__ == "__main__":
    main()
