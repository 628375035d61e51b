"""The service's entry point."""

import argparse
import os
import signal
import threading
from pathlib import Path

from relay.convert import to_pdf
from relay.errors import fatal
from relay.journal import Journal
from relay.uploads import Uploader

stopping = threading.Event()


def on_term(signum, frame):
    stopping.set()


def load_token(path):
    if not path.exists():
        fatal(f"no upload token in {path}")
    return path.read_text().strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("inbox", type=Path)
    parser.add_argument("--state", type=Path, default=Path("/var/lib/relay"))
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, on_term)
    with Journal(options.state / "journal.jsonl") as journal:
        uploader = Uploader(load_token(options.state / "token"), journal)
        uploader.start()
        while not stopping.wait(1.0):
            for document in sorted(options.inbox.glob("*.docx")):
                uploader.put(to_pdf(document))
                os.remove(document)
        uploader.stop()


if __name__ == "__main__":
    main()
