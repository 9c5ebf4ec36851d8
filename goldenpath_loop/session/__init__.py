"""The record of a run on disk: session log, evidence store, lock, run folder."""
