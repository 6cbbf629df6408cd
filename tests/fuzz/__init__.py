"""All that reads what others wrote, under atheris: each `fuzz_NAME.py` has a `check` that any bytes must pass.

`python -m tests.fuzz` runs them.
"""
