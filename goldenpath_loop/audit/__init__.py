"""What a reviewer would object to in a change."""
