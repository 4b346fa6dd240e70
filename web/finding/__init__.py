"""What may be asked of lists at either server: of entries, of alarms, of everything in one box."""
