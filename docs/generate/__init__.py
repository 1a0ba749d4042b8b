"""Pages that follow from the template: `make docs` writes them, and a test checks that they are current."""
