"""Review users' labels for their drawings, and keep the decisions."""
