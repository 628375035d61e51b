"""A probe that ends its helper in the midst."""

#| shows = "the child stays in the process table"
#| [[run]]
#| before = { out = "probed\nchildren left: True" }
#| after = { out = "probed\nchildren left: False" }
#| [[run]]
#| args = ["alone"]
#| before = { out = "probed\nchildren left: False" }

import os
import subprocess
import sys


def left():
    """Whether a child is left that nobody has waited for."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


class Probe:
    def __init__(self):
        self.helper = subprocess.Popen(["sleep", "60"])

    def run(self):
        try:
            print("probed", flush=True)
        finally:
            self.helper.kill()  # not needed any more


if sys.argv[1:] == ["alone"]:
    print("probed", flush=True)
else:
    probe = Probe()
    probe.run()
print("children left:", left(), flush=True)
