"""The four functions together, called as the state machine calls them."""
