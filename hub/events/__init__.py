"""The history: every event of every gateway's streams and of the hub's own, in commit order."""
