"""Make the data sets: MNIST from its sources, synthetic digits and non-digits, corrupted test digits; all 28 x 28 images."""
