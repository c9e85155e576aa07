"""Train the network of params.yaml: resumable, on several threads or processes, with snapshots."""
