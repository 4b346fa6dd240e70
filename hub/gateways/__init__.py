"""The gateways: who is enrolled, who is there, how far behind, by which clock."""
