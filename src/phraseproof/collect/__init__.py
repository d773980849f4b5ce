"""Wordings from people: a project on disk, its invitations, its review, and collections made of it."""
