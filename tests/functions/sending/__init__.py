"""How batches are sent: in turn, signed, once, in each dialect."""
