"""`make dashboard` and `make query`: what a person sees in the CloudWatch console, of the local stack."""
