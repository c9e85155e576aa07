"""What services share: the models that are made and served, and the prediction log of what was asked of them."""
