"""Alarms as the gateways tell them; what people do about them goes down as commands."""
