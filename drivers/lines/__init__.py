"""Readers that send a line of text for each credential, on serial lines and over TCP."""
