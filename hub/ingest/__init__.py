"""From the broker into the database: the stream rule, one transaction for many batches, acknowledged when committed."""
