"""Plate cameras: what they push and what they must be answered."""
