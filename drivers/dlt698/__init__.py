"""DL/T 698.45: electricity meters, read by objects."""
