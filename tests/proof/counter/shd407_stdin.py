"""The child waits for input that `communicate()` would end."""

#| reason = "handed to other code, or made elsewhere"

import subprocess


def ask(command):
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.wait()
    out = child.stdout.read()
    return out


ask(["true"])
