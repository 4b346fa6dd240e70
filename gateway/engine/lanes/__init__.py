"""Lanes: cameras, what they read, barriers, and the pictures."""
