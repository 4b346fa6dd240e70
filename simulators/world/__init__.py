"""How things behave: doors, barriers, cars, lifts, pumps, water, air, meters. Steps in time, seeded. Pure."""
