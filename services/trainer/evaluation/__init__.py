"""Measure a trained network on held-out images and set its decision thresholds."""
