"""`read`, `write`, `guess`: values of a device, as the gateway sees them or as they are."""
