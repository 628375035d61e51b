"""What `server` is nobody knows: its `close` may be a coroutine, or need arguments."""

#| reason = "not known which method"


class Gateway:
    def __init__(self, server):
        self.server = server

    def close(self):
        self.server.close
