"""How a service is deployed: what its environment says, and how it lives as a process. Every service says and does it alike."""
