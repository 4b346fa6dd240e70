"""What the tools talk over: ports, lines, and the wires of a site file."""
