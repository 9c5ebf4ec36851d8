"""What the services of the chat platform share."""
