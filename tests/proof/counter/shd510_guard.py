"""A guard: there may be nothing to close."""

#| reason = ""


class Service:
    def __init__(self, db=None):
        self.db = db

    def close(self):
        return self.db and self.db.close()


Service().close()
