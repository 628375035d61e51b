"""A tool that aborts when its input is broken."""

#| shows = "the rows that are still in the buffer"
#| unsafe = true
#| [[run]]
#| args = ["3", "x"]
#| before = { code = -6, files = { "report.txt" = "" } }
#| after = { code = 134, files = { "report.txt" = "9\n" } }

import os
import sys


def main():
    with open("report.txt", "w") as report:
        for number in sys.argv[1:]:
            if not number.isdigit():
                os.abort()
            report.write(f"{int(number) ** 2}\n")


if __name__ == "__main__":
    main()
