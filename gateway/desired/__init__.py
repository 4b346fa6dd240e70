"""The desired state of the hub: in force in memory, kept on disk."""
