"""A WSGI server in its own thread: `shutdown()` comes from another one."""

import signal
import sys
import threading
from wsgiref.simple_server import make_server


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def main() -> int:
    received: list[int] = []
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda signum, frame: received.append(signum))
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2})
    thread.start()
    try:
        print("ready", flush=True)
        while not received and thread.is_alive():
            thread.join(0.2)
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
        print("main: server closed")
    return 128 + received[0] if received else 1


if __name__ == "__main__":
    sys.exit(main())
