"""S3: what MiniStack does in another way than AWS."""
