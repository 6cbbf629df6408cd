"""Plugins of the test run itself, loaded by name from pyproject.toml."""
