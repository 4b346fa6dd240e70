"""How things behave: doors, barriers, cars, lifts, pumps, water, air, meters. Pure steps in time, seeded."""
