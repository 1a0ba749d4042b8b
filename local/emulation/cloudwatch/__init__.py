"""CloudWatch metrics, alarms, dashboards and logs, as AWS has them."""
