"""The OpenAI-compatible front: /v1, for clients that speak to OpenAI."""
