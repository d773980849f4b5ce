"""Scores of lm-evaluation-harness next to ours, on the same tasks and the same model."""
