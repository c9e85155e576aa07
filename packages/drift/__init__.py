"""Drift tests whether recent drawings still look like those that the model reads well. NumPy is its only dependency."""
