"""Tables written as CSV, Excel workbooks and Parquet."""
