"""Random and mutated frames for every codec: no exception but its own errors, no value from a frame that is wrong."""
