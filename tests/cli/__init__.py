"""The command `conveyor`, on an AWS in memory."""
