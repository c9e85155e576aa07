"""Inspect a network: the output of each layer and unit, snapshots of the training, and the effect of a changed weight."""
