"""The exporter: what the stores and the pipeline's results say, as Prometheus text (port 18000)."""
