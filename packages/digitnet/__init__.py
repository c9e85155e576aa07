"""A neural network for handwritten digits, written from scratch with NumPy alone.

Read it in this order; each file is one idea:

    layers.py       what each layer computes (forward) and how blame flows back through it (backward)
    losses.py       how wrong an answer is, as one number, and which way is less wrong
    optimizers.py   how the gradient moves the parameters
    schedules.py    how far each step goes, from the first to the last
    weight_averaging.py the mean of the weights over the last steps
    network.py      layers in a row, all their parameters in one flat vector
    parallel.py     one batch on several threads, and on several processes
    images/augment.py changes that make more digits out of the same ones; images/warp.py moves their pixels
    prefetching.py  the next batches are made while the network learns from this one
    images/ from strokes or pixels to the 28 x 28 image that the network reads
    decision.py     from logits to probabilities, and to whether the image shows a digit
    checkpoint.py   a trained network on disk: weights.npz and a model card in JSON; golden.py has the examples that it carries
    inspect/snapshots.py the network at some steps of its training, and what was measured then; quantization.py packs them

and to look into a trained one:

    inspect/explanations.py what each layer makes of an image, and which ink speaks for which digit
    inspect/units.py one unit: its inputs, its weights, its sum, and where it looks
    inspect/pca.py images as points in a plane, near each other where the network sees them alike
    inspect/training_steps.py gradient descent on one image, with what flows back laid open

It imports NumPy and the standard library and nothing else (tests/digitnet/test_imports.py proves it).
"""
