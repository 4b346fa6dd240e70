"""OSDP door readers: frames, secure channels by libosdp, keys, supervision."""
