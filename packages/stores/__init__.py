"""What services share: the models that are made and served, and the journal of what was asked of them."""
