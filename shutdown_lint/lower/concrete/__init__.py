"""Lowering from LibCST's nodes: for syntax that is newer than the running Python, and for the fields of its f-strings."""
