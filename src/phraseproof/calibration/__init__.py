"""Post-hoc calibration: corrects the log-probabilities of options for what a model prefers whatever the question."""
