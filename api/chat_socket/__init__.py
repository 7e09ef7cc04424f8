"""A conversation over a WebSocket: who opens it, what is said, and within which limits."""
