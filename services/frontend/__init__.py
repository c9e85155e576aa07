"""The page, and two servers for it: nginx, and `python -m frontend`. Both serve its files and forward /api/ to the service."""
