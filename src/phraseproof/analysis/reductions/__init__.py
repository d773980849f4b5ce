"""Ways to reduce the spread over wordings without training, judged on examples that they were not fitted on."""
