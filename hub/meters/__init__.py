"""Registers that money hangs on: what was used, by day, across roll-overs and exchanged meters."""
