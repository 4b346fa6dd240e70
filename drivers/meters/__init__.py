"""Meters on a shared line, whatever they speak: the line's owner, and what their protocols have in common."""
