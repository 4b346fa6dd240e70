"""Alarms as the gateways tell them, and the hub's own; what people do about a gateway's goes down as a command."""
