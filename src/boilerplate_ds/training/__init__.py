"""From labels to a model: what it is trained on, cross-validation, figures, report and card."""
