"""What the local AWS is made to do as AWS does it."""
