"""Devices that publish through the site's broker."""
