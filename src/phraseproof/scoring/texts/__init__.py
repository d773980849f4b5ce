"""Metrics of generated texts: one file each, on the libraries that papers use."""
