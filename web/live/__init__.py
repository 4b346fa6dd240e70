"""The live stream of what was committed, to every screen that may see it."""
