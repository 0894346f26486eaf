"""Files that show when they were changed: one container, its keys, optional encryption. `FORMAT.md` has the bytes."""
