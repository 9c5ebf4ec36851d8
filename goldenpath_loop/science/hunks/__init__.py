"""Which parts of a change are guilty: taking some of its hunks back, and searching the smallest such set."""
