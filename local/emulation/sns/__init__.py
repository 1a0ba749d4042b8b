"""SNS, as AWS has it."""
