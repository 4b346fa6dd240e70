"""Tickets: faults and requests that ask for work, folded by cause, moved by people, closed by the device itself."""
