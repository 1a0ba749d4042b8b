"""CloudFormation acts with the permissions of the caller, and on what exists already, as on AWS."""
