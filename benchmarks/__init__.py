"""Accuracy and speed beside public extractors, measured in the same run: ``python -m benchmarks --help``."""
