"""Errors of estimates from a share of the grid."""
