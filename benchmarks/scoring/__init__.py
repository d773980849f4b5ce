"""Option scoring against lm-evaluation-harness."""
