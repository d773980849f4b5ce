"""Reduces the spread over wordings without training: calibrated runs, ensembles, and the choice of a wording."""
