"""smartdoh as a systemd service: its units written, enabled and taken away again, and who is in its way."""
