"""The tests: unit, property, scenario, end to end, and what the source tree as a whole must satisfy."""
