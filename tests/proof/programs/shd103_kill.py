"""A tool that kills itself when its input is broken."""

#| shows = "the rows that are still in the buffer"
#| unsafe = true
#| [[run]]
#| args = ["3", "x"]
#| before = { code = -9, files = { "report.txt" = "" } }
#| after = { code = 137, files = { "report.txt" = "9\n" } }

import os
import signal
import sys


def main():
    with open("report.txt", "w") as report:
        for number in sys.argv[1:]:
            if not number.isdigit():
                os.kill(os.getpid(), signal.SIGKILL)
            report.write(f"{int(number) ** 2}\n")


if __name__ == "__main__":
    main()
