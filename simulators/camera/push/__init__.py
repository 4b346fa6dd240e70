"""Simulated cameras that push."""
