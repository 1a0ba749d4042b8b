"""The local stack: the same template on a local AWS, a simulated provider, and the demo of both."""
