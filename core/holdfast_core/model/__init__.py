"""Pure values: what a session is. Nothing here reads files, clock or settings."""
