"""The facts of runs: small objects in S3 that are written once and never changed."""
