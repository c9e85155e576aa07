"""Look into a network: what each layer and unit computes, how it learned, and what a change would do."""
