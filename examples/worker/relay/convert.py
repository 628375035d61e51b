"""Documents to PDF, by a child process."""

import subprocess


def to_pdf(document):
    target = document.with_suffix(".pdf")
    child = subprocess.Popen(
        ["soffice", "--headless", "--convert-to", "pdf", str(document)],
        cwd=document.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if child.wait() != 0:
        raise RuntimeError(child.stdout.read().decode())
    return target
