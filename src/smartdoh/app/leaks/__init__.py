"""Leaks: names of a list that were sent outside of the group that the list's rules name."""
