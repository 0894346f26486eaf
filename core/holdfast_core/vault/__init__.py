"""The vault: every version of every agent's sessions, kept in strands that only ever grow."""
