"""The demo: every program of a site and its hub, started and kept running."""
