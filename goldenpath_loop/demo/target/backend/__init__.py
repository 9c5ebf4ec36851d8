"""The backend: threads, messages, agents, and the chat socket."""
