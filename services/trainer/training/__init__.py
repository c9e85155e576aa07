"""Train the network of params.yaml with digitnet's loop. Callbacks measure, save and report; ranks.py has MPI."""
