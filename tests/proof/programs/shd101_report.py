"""A tool that leaves in the midst of its report."""

#| shows = "the rows that are still in the buffer, the cleanup"
#| unsafe = true
#| [[run]]
#| args = ["3", "x"]
#| before = { code = 4, files = { "report.txt" = "" } }
#| after = { code = 4, out = "cleanup", files = { "report.txt" = "9\n" } }
#| [[run]]
#| args = ["3"]
#| before = { out = "cleanup", files = { "report.txt" = "9\n" } }

import os
import sys


def write(numbers):
    with open("report.txt", "w") as report:
        for number in numbers:
            if not number.isdigit():
                os._exit(4)  # no number
            report.write(f"{int(number) ** 2}\n")


def main():
    try:
        write(sys.argv[1:])
    finally:
        print("cleanup", flush=True)


if __name__ == "__main__":
    main()
