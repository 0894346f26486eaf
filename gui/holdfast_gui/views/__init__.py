"""Widgets that show what they are given and emit what the person does."""
