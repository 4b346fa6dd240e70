"""Simulated cameras whose stream is fetched."""
