"""`make deploy`: asks at most four things, shows what a deployment changes and costs, and deploys to AWS."""
