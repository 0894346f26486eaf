"""Rows and parts of what the window shows, without widgets."""
