"""Registers that money hangs on."""
