"""Commands on their way down, and their results on the way back."""
