import sys


def check(rows: list[str]) -> None:
    if not rows:
        sys.exit(2)


def main() -> None:
    with open("export.csv", "w", encoding="utf-8") as out:
        check(sys.argv[1:])
        out.writelines(sys.argv[1:])


if __name__ == "__main__":
    main()
