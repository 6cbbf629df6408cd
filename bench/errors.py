"""What can go wrong with a measurement that is nobody's figure."""


class BenchError(Exception):
    """A run that measured something else than it says, or could not measure at all."""
