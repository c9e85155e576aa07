"""Release: publish a candidate, test it beside the live model, promote it. The model store alone decides what is live."""
