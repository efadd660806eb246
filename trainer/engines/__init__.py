"""Ways to run the training of many packages: on this machine, on a cluster."""
