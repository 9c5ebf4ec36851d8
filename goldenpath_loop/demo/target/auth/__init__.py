"""The auth service: accounts, login, tokens."""
