"""How the files of each protocol look: shape, contradictions, and the profile that they build. One file a protocol."""
