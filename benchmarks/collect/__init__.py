"""The form that collects wordings, under load."""
