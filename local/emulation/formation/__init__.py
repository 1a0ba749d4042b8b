"""CloudFormation acts with the permissions of the caller, as on AWS."""
