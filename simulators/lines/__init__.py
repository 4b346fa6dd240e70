"""Readers that send lines of text over TCP and serial lines."""
