"""The only door to the machine: processes, HTTP transport, clock, files."""
