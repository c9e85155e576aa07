"""Review what users said of their drawings, and keep what is decided."""
