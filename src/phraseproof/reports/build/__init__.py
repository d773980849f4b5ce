"""What reports show: rows, before any format."""
