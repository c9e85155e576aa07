"""A neural network for handwritten digits, written from scratch with NumPy alone.

Read it in this order; each file is one idea:

    layers.py       what each layer computes (forward) and how blame flows back through it (backward)
    losses.py       how wrong an answer is, as one number, and which way is less wrong
    optimizers.py   how the gradient moves the parameters
    schedules.py    how far each step goes, from the first to the last
    averaging.py    the mean of the weights over the last steps
    network.py      layers in a row, all their parameters in one flat vector
    parallel.py     one batch on several threads, and on several processes
    augmentation.py changes that make more digits out of the same ones; warping.py moves their pixels
    prefetching.py  the next batches are made while the network learns from this one
    drawing.py      from pen strokes to the 28 x 28 picture that the network reads
    decision.py     from logits to probabilities, and to whether the image shows a digit
    checkpoint.py   a trained network on disk: weights.npz and a model card in JSON; golden.py has the examples that it carries
    snapshots.py    the network at some moments of its training, and what was measured then; packing.py makes them small

and to look into a trained one:

    explaining.py   what each layer makes of a picture, and which ink speaks for which digit
    units.py        one unit: its inputs, its weights, its sum, and where it looks
    mapping.py      pictures as points in a plane, near each other where the network sees them alike
    teaching.py     gradient descent on one picture, with what flows back laid open

It imports NumPy and the standard library and nothing else (tests/digitnet/test_imports.py proves it).
"""
