"""What pages are put together from: tables, tiles, charts, notices, and the explanation of one answer."""
