"""Cameras that push their reads to the gateway."""
