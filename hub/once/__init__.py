"""Requests that are done once a key: their answers, kept for a day."""
