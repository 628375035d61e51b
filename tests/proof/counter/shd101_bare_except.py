"""A bare clause would swallow the exit request."""

#| reason = "catches SystemExit"

import os


def check(rows):
    with open("report", "w") as report:
        for row in rows:
            if not row:
                os._exit(4)
            report.write(row)


def main():
    try:
        check(["a", ""])
    except:
        print("failed")


if __name__ == "__main__":
    main()
