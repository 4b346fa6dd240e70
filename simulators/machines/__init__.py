"""How the physics of `simulators.world` hang on the devices of a site: each reads what was asked, sets points. Pure."""
