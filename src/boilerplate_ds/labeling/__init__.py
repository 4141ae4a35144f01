"""From lines to labels: the store of annotations and the ways to fill it."""
