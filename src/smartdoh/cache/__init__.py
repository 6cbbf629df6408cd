"""What may be kept, and for how long."""
