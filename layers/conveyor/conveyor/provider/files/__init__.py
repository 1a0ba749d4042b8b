"""The OpenAI-compatible files dialect."""
