"""Lists while the proxy runs: fetched, judged, compiled aside, and put in force together."""
