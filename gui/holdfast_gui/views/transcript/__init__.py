"""The transcript: one scroll area that draws a session of any length."""
