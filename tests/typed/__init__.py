"""Commands as a person types them: a real shell, and in it AWS CLI v2, or an interpreter that takes no more."""
