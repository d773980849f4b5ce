"""The choice of one wording among many, and what the chosen one is worth once the choice itself is accounted for."""
