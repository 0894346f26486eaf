"""Find, read, search and continue the coding-agent sessions of one person."""

__version__ = "0.1.0"
