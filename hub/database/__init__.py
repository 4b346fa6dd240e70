"""PostgreSQL as the hub uses it: transactions, events in them, versions, kept answers, sealed PINs, what went wrong."""
