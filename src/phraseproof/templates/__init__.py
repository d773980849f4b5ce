"""The language of templates that users write, of wordings and of rubrics: a sandbox with bounded texts and work."""
