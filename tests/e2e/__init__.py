"""Whole runs, as a person starts them: the installed command, real repositories, real processes."""
