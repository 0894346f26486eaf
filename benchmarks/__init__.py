"""Measurements, run by hand and as ratios: never a timed test."""
