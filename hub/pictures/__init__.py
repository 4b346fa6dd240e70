"""Pictures that follow their events."""
