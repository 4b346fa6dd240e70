"""What the hub wants a site's gateway to hold: revisioned items, published as deltas and snapshots."""
