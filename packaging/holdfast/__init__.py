"""Starts Holdfast: the command line, the window, or a helper process."""
