"""The choice of a wording: coverage of its bounds, and searches under a budget of calls."""
