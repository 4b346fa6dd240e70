"""What a machine is made ready with, and what is delivered to it."""
