"""The service: answers drawings with digits over HTTP (port 7000)."""
