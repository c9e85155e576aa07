"""The prediction service. It answers drawings with digits over HTTP; only routes/ and errors.py choose HTTP status codes."""
