"""The break-glass account of a gateway."""
