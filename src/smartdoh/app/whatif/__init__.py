"""What a list or a config would change: the questions of the last days, decided once more."""
