"""Sensors that publish to the site's broker."""
