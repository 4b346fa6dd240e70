"""Work that is done later: rows of one table, which every hub process on this database takes its share of."""
