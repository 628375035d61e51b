"""A program that looks at the exit code of another one, and then at what it printed."""

#| shows = "both wait once the pipe is full"
#| [[run]]
#| args = ["200000"]
#| before = { hang = true }
#| after = { out = "3 200001" }
#| [[run]]
#| args = ["20"]
#| before = { out = "3 21" }

import subprocess
import sys


def run(size):
    code = f"print('x' * {size}); raise SystemExit(3)"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    status = child.wait()
    out = child.stdout.read()
    return status, len(out)


print("ready", flush=True)
print(*run(int(sys.argv[1])), flush=True)
