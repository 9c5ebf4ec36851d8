"""Test suites run as subprocesses, every result streamed."""
