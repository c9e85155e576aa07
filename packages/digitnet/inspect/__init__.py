"""Look into a network: what each layer and unit computes, how the network learned, and what a change would do."""
