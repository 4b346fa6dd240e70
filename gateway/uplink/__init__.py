"""The gateway's line to its hub: events, readings and pictures up; acknowledgements, desired state, commands down."""

from gateway.uplink.sending import Speaker
from gateway.uplink.uplink import Uplink

__all__ = ["Speaker", "Uplink"]
