"""Doors: readers, PINs, locks, and the decision that lets one go."""
