"""Turn strokes or pixels into the 28 x 28 image that the network reads, and augment such images."""
