"""Questions put to services: one pure file that classifies, one file that asks, a pair a protocol."""
