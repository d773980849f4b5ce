"""What every local server of the package shares: its address, how it is served, and the headers of its answers."""
