"""The edge: the one address clients know, in front of the services."""
