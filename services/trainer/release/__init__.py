"""Publish a candidate, test it over HTTP beside the live model, and promote it."""
