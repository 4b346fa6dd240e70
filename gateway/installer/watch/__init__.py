"""`watch`: what is said on a wire, frame by frame."""
