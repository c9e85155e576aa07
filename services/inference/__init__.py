"""The prediction service: it answers drawings with digits over HTTP, and only routes/ and errors.py know HTTP status codes."""
