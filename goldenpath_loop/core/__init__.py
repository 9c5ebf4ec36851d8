"""Pure decisions: state, phases, grounding, verdicts. No clock, files, network or async in here."""
