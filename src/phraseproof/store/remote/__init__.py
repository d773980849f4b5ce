"""Runs in object storage: segments of files, and numbered manifests that say which of them make up the run."""
