"""CloudWatch Logs Insights: queries in the Logs Insights QL, run as on AWS, and saved queries."""
