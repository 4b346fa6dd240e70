"""DL/T 645: electricity meters, editions 1997 and 2007."""
