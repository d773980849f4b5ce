"""Coverage of intervals, and time and memory of statistics over many outcomes."""
