"""The four functions together, driven as the state machine drives them."""
