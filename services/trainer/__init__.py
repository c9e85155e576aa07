"""The trainer: from raw MNIST to a published model, one module per stage."""
