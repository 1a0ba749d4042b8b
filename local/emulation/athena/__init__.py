"""Athena: SQL of Trino over tables of lines and views in the Glue catalog, with the caller's permissions."""
