"""Steering the program and looking into it. Nothing else imports this package."""
