"""Entries: who came where and what was decided, one row each, made from the history to be searched."""
