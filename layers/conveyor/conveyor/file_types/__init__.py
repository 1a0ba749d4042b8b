"""Recognise files that do not hold one request per line, and give the command that converts them. Pure."""
