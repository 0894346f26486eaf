"""Everything that a person can do, and what follows from it."""
