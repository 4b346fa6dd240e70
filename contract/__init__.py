"""What gateway and hub say to each other: frozen, typed, versioned messages and their bytes.

Imports nothing of ours and does no I/O. One message is one `msgspec.Struct`; `wire.encode` and `wire.decode`
are the only ways to bytes and back. Unknown fields are ignored, unknown event kinds are carried,
unknown versions are refused (`errors.UnknownVersion`).
"""

SOFTWARE = "0.1.0"
"""The version of this software: one for every process, and the package's own."""

VERSION = 1
"""The envelope's version that this code writes; it reads this one and the one before."""

ACCEPTED_VERSIONS = frozenset({VERSION - 1, VERSION} - {0})
"""What is read here. The hub is upgraded first: it speaks to each gateway in a version that the gateway reads."""
