"""From annotations to a published set: gold labels, splits, export, card and Hub."""
