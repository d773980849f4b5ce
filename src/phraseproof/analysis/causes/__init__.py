"""Why accuracy differs between wordings: the answer prior, skill, both together, or the draw of examples."""
