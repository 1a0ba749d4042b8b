"""S3, Step Functions and Secrets Manager in memory, behind botocore's sender: as strict as the local AWS, but faster.

Usual calls to S3 are answered before botocore makes a request of them (`at_once.py`).
What is not known here is refused, not guessed. `tests/functions/aws/test_memory_aws.py` compares it with the local AWS.
"""
