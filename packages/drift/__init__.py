"""Drift: do the drawings that come in still look like those that the model is known to read well? NumPy and nothing else."""
