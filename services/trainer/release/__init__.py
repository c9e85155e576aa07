"""Release: publish a candidate, test it beside the live model, promote it. The model store alone decides which model is live."""
