"""Git by its own command line: history, worktrees, branches."""
