"""What is kept how long, and the nightly pruning of what is kept no longer."""
