"""Cameras whose stream of events the gateway fetches."""
