"""The agents, their tools, and how one works on a message."""
