"""The program: putting the parts together, running them, changing them while they run."""
