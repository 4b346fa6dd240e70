"""PostgreSQL as the hub uses it: transactions, events in them, versions of rows, what went wrong."""
