"""Metrics, alarms and dashboards of the local AWS."""
