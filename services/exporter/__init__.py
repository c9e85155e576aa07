"""The exporter reports model store, prediction log and pipeline results to Prometheus (port 18000), and writes nothing."""
