"""Stories of the pipeline: what clients ask, what a scripted upstream says and when, and how the clock moves."""
