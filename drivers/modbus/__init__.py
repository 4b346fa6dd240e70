"""Modbus: what to read (plan, schedule), what it means (decode, encode), one owner for each wire (bus)."""
