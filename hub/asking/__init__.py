"""What people ask for: commands, to a gateway or about an alarm of the hub's own."""
