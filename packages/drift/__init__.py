"""Drift detection: do recent drawings still look like drawings that the model reads well? NumPy is the only dependency."""
