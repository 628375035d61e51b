"""The service's entry point."""

import argparse
import os
import shutil
import signal
import threading
from pathlib import Path

from relay.convert import to_pdf
from relay.errors import fatal
from relay.journal import Journal
from relay.uploads import Uploader

MINIMUM_FREE = 100 * 1024 * 1024

stopping = threading.Event()


def on_term(signum, frame):
    stopping.set()


def require_space(folder):
    if shutil.disk_usage(folder).free < MINIMUM_FREE:
        fatal(f"no space left in {folder}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("inbox", type=Path)
    parser.add_argument("--state", type=Path, default=Path("/var/lib/relay"))
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, on_term)
    with Journal(options.state / "journal.jsonl") as journal:
        uploader = Uploader((options.state / "token").read_text().strip(), journal)
        uploader.start()
        while not stopping.wait(1.0):
            for document in sorted(options.inbox.glob("*.docx")):
                require_space(options.inbox)
                uploader.put(to_pdf(document))
                os.remove(document)
        uploader.stop()


if __name__ == "__main__":
    main()
