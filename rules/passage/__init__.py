"""How doors and barriers move: what is wished, what their contacts say, what time makes of it."""
