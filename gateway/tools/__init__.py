"""The installer's tools: `python -m gateway scan|watch|read|write|guess|check|discover`."""
