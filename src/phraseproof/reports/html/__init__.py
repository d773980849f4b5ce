"""The report page: one HTML file with everything in it, which asks nothing of any network."""
