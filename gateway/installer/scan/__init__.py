"""`scan`: who is on a line or in a network, and which products they are."""
