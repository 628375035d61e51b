"""The whole group is meant."""

#| reason = "would live on"

import os
import signal


def main():
    with open("report", "w") as report:
        report.write("begun")
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
