"""Shared by all services as processes: settings from the environment, log lines, signals and the HTTP server."""
