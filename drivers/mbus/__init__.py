"""M-Bus (EN 13757): meters of any kind."""
