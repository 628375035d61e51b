"""A program that collects the output and the errors of another one."""

#| shows = "both wait once a pipe is full"
#| [[run]]
#| args = ["200000"]
#| before = { hang = true }
#| after = { out = "3 200000 0" }
#| [[run]]
#| args = ["20"]
#| before = { out = "3 20 0" }

import subprocess
import sys


def run(size):
    code = f"import sys; sys.stderr.write('x' * {size}); print('ok')"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.wait()
        out = child.stdout.read()
        err = child.stderr.read()
    return out, err, child.returncode


print("ready", flush=True)
out, err, code = run(int(sys.argv[1]))
print(len(out), len(err), code, flush=True)
