"""Commands: a person's wish on its way down, and its result on the way back."""
