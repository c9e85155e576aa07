"""Serve the page's files and pass /api/ on to the service, by nginx or by its stand-in in Python; page.conf has their rules."""
