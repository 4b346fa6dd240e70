"""The site as a Home Assistant sees it: its points, doors, lanes and alarms, told over the site's own broker."""
