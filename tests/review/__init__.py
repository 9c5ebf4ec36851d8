"""What a person reads about a run: tests on logs that real engines wrote."""
