"""Finds what agents wrote, reads what changed, and hands it to the index."""
