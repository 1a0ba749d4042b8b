"""Words, commands and links that messages share."""
