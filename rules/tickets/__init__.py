"""Which fault becomes a ticket, and which step a ticket may take."""
