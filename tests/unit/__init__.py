"""The packages of the core, each by itself."""
