"""Simulated CJ/T 188 meters."""
