"""Where questions come in and answers go out."""
