"""SQLite on the gateway's disk, whatever state the file or the disk is in."""
