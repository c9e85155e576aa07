"""Make the data sets of 28 x 28 images: MNIST, synthetic digits and non-digits, corrupted test digits."""
