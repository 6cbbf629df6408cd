"""What happens to a question that no kept answer settles."""
