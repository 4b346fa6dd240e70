"""Modbus units that stand in for real ones: frames, one unit's answers, its registers, and the wires they hang on."""
