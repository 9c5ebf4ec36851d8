"""The user's own copy: not what is to be tested."""

OPEN = True
