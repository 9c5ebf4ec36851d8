"""A revision brought to where tests can reach it."""
