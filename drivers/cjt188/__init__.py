"""CJ/T 188: meters of water, heat and gas."""
