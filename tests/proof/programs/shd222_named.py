"""A tool that names the release of its report, and reads it again."""

#| shows = "the release is named and not called"
#| [[run]]
#| args = ["row"]
#| before = { out = "read ''" }
#| after = { out = "read 'row'" }
#| [[run]]
#| before = { out = "nothing to do" }

import sys


class Report:
    def __init__(self):
        self.rows = []

    def add(self, row):
        self.rows.append(row)

    def close(self):
        with open("report.txt", "w") as out:
            out.writelines(self.rows)


def main():
    if not sys.argv[1:]:
        print("nothing to do", flush=True)
        return
    open("report.txt", "w").close()
    report = Report()
    report.add(sys.argv[1])
    report.close  # written
    with open("report.txt") as written:
        print("read", repr(written.read()), flush=True)


if __name__ == "__main__":
    main()
