"""The AWS of a person: the only place that knows boto3."""
