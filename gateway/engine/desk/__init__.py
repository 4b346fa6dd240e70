"""What every part of the engine works with: record, points, layout, wires, timers."""
