"""How often a served model's choices differ between the ways to read its answers."""
