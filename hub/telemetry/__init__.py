"""Points and their readings: the latest of each, the history by month, and hourly sums of it."""
