"""Meters that answer by their own addresses on a shared line: codecs, stations, and the line's owner."""
