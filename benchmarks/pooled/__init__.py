"""Learning and judging what the model pools over thousands of packages."""
