"""Takes documents from a queue, converts them, uploads them, and records what was done."""
