"""A program that collects the output of another one."""

#| shows = "both wait once the pipe is full"
#| [[run]]
#| args = ["200000"]
#| before = { hang = true }
#| after = { out = "200000" }
#| [[run]]
#| args = ["20000"]
#| before = { out = "20000" }

import subprocess
import sys


def export(size):
    command = [sys.executable, "-c", f"print('x' * ({size} - 1))"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    child.wait()
    out = child.stdout.read()  # all of it
    return out


print("ready", flush=True)
print(len(export(int(sys.argv[1]))), flush=True)
