"""The spread of a real model over wordings: how large it is, what causes it, and what reduces it."""
