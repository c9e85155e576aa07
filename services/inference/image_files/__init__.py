"""Image files: check a PNG, JPEG or WebP without unpacking it, then decode it within limits."""
