"""The page of a run, `report.html`, and the data that it shows."""
