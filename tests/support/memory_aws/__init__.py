"""S3, Step Functions and Secrets Manager in memory, behind botocore's sender: as strict as the local AWS, but quick.

What is not known here is refused, not guessed. `tests/functions/test_memory_aws.py` holds it equal to the local AWS.
"""
