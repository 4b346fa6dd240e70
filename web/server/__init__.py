"""How a server takes connections: how many, from whom, how patiently."""
