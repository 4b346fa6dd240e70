"""Alarms and what follows from them: silent devices, clocks, tickets."""
