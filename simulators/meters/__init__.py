"""Meters that stand in for real ones: DL/T 645 and CJ/T 188 by their profiles, and the lines that they hang on."""
