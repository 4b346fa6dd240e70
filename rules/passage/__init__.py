"""How doors and barriers move: what is commanded, what their contacts say, what time makes of it."""
