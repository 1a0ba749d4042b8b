"""How a run has ended, in the words that messages, the page and the command share."""
