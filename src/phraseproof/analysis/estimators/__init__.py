"""Estimates with intervals, from outcomes or from a sample of them."""
