"""Mitigations tried on the shipped models, and what the models forget."""
