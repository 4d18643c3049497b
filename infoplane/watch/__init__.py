"""Watching runs while they are written, in a terminal or in a browser: reading alone, and no more than what is new."""
