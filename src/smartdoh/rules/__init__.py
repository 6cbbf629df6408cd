"""From a question to a decision: pure look-ups in what the config says."""
