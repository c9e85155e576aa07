"""Load the shared fixtures whose packages are installed: each folder of tests needs its own package's extras and no others."""

import os
from importlib.util import find_spec

OPTIONS = (
    "DOODLE_TEST_",
    "DOODLE_WRITE_TABLES",
    "DOODLE_SOAK_SECONDS",
)  # options of the tests, not of a service
for name in [name for name in os.environ if name.startswith("DOODLE_") and not name.startswith(OPTIONS)]:
    del os.environ[name]

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
    """Run the longest files first, so that no worker ends with a long one."""
    items.sort(key=lambda item: "end_to_end" not in item.path.parts)
