"""One router a subject: each route reads a request, calls the service's parts, and describes its answer."""
