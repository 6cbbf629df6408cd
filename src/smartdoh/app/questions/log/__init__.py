"""The query log: questions as lines of an SQLite database, written by one process, read by whoever searches."""
