"""The value is used: the first error code, not whether there is one."""

#| reason = "the value of the expression is used"


def copy(source, target):
    return source.close() or target.close()
