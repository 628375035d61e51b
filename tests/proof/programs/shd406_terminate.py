"""A reloader that asks its child to end."""

#| shows = "the child stays in the process table"
#| unsafe = true
#| [[run]]
#| before = { out = "children left: True" }
#| after = { out = "children left: False" }

import os
import subprocess


def left():
    """Whether a child is left that nobody has waited for."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


class Reloader:
    def __init__(self, command):
        self._child = subprocess.Popen(command)

    def stop(self):
        self._child.terminate()


reloader = Reloader(["sleep", "60"])
reloader.stop()
print("children left:", left(), flush=True)
