"""The project's documents, tools and limits."""
