"""Lowering from the nodes of ``ast``: the parser of the running Python, ten times as fast as LibCST's."""
