"""A site on its worst day, for the bench `torture`: what may happen to it, what it must have kept, how it is told."""
