"""The web form: annotators write wordings, owners review them. Server-rendered pages that work without scripts."""
