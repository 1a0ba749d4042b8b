"""The whole of Conveyor on this machine: the local AWS, the simulated provider, and the deployed template."""
