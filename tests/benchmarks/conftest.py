"""Load programs of benchmarks/ as modules that can import each other."""

import pytest


@pytest.fixture
def load_benchmark(load_script, monkeypatch, request):
    """load_benchmark("growth"): benchmarks/growth.py."""
    monkeypatch.syspath_prepend(str(request.config.rootpath / "benchmarks"))
    return lambda name: load_script(f"benchmarks/{name}.py")
