"""A plate camera that pushes what it sees by HTTP."""
