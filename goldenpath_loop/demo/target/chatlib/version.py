"""The version of the platform; all services are released together."""

VERSION = "1.6.0"
