"""The gate: limits that a run must keep, for a team's continuous integration."""
