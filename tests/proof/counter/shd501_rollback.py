"""A clause that raises again must see everything: a rollback would be lost."""

#| reason = ""


def save(db, rows):
    for row in rows:
        try:
            db.insert(row)
        except BaseException:
            db.rollback()
            raise
