"""Export cuts of the past: which they were, and how wrong every rule would have been."""
