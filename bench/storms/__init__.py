"""What floods and hostile clients do to a running server, and what it costs those who ask as they should."""
