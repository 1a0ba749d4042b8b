"""Authentication of calls: an API key, or a signature as Claude Platform on AWS takes it."""
