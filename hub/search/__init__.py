"""Finding what stands and what was: entries by any words, everything of the company by one box."""
