"""The exporter: metrics of the model store, the prediction log and the pipeline on port 18000. It writes nothing."""
