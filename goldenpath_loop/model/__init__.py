"""Asking a model: conversations as pure flows, one client, one place that retries and charges."""
