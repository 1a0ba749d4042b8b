"""Commands, links, numbers and errors as messages word them. Pure."""
