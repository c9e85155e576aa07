"""Train the network of params.yaml with digitnet's loop: callbacks measure, save and show; ranks.py has MPI."""
