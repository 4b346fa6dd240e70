"""Door readers that speak OSDP, several on a line, with secure channel, keypad and tamper contact."""
