"""OpenAI's batch API: requests in files, answered within a day."""
