"""Load the shared fixtures whose packages are installed: each folder of tests needs its own package's extras and no others."""

from importlib.util import find_spec

# Each module of fixtures, and the packages it imports.
PLUGINS = {
    "polling": ["httpx"],
    "processes": [],
    "saved_models": ["numpy"],
    "redis_server": ["redis"],
    "browser": ["playwright"],
    "doc_sync": [],
    "model_stores": ["boto3"],
    "object_store": ["moto"],
    "docker_engine": [],
    "swarm": ["boto3", "httpx", "moto"],
}
pytest_plugins = [plugin for plugin, packages in PLUGINS.items() if all(map(find_spec, packages))]


def pytest_collection_modifyitems(items):
    """Run the longest files first: with several workers none is left with a long one at the end."""
    items.sort(key=lambda item: "end_to_end" not in item.path.parts)
