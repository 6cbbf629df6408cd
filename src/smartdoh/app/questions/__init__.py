"""What is asked: gathered from those who answer, given to whoever wants to see it, and logged."""
