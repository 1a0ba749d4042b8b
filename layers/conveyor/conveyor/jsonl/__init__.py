"""Bytes and lines of JSON text. Pure, and without any knowledge of drops."""
