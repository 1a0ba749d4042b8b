"""Bytes and lines of JSON text, without any knowledge of drops."""
