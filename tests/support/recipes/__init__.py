"""Pages of docs/recipes, typed as they stand."""
