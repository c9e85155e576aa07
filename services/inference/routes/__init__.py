"""One router for each subject. A route reads a request, calls the service, and describes its response."""
