"""The fixtures of measure_scale.py, which measures the Swarm of tests/stack/test_swarm.py."""

pytest_plugins = ["polling", "processes", "doc_sync", "docker_engine", "swarm"]
