"""Imported only while a test runs."""
