"""The app: its services, its routers, and its middleware. docs/api.md and /docs describe the API."""

from typing import Any

from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from stores.models import ALIASES

from inference.admission import Admission
from inference.auth import needs_key
from inference.errors import HANDLERS
from inference.hosts import AllowedHosts
from inference.openapi import TAGS, errors, schema_components
from inference.request_ids import RequestIds
from inference.request_metrics import RequestMetrics
from inference.routes import feedback, infer, inspect, models, operations, predict, read
from inference.services import Services
from inference.settings import Settings
from inference.strict_route import operation_id

MAX_REQUESTS = 64  # in flight on a path: one core predicts them in about 30 ms, and explains them in about a second
CORS_METHODS = "GET", "POST", "PUT", "DELETE"
CORS_ACCEPTED = "Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-API-Key", "X-Request-ID"
CORS_EXPOSED = "ETag", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"


def create_app(settings: Settings) -> FastAPI:
    """Return the app. It reads nothing from disk before it starts."""
    services = Services(settings)
    app = DoodleAPI(
        title="Doodle",
        description="Recognize handwritten digits with a neural network written from scratch in NumPy.",
        version="1",
        openapi_tags=TAGS,
        generate_unique_id_function=operation_id,
        lifespan=lambda _: services.running(),
        exception_handlers=HANDLERS,
        openapi_url=None,  # routes/operations.py has it, with an ETag
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it costs every request, and /metrics has ours
        servers=[{"url": "."}],  # relative, so that the page's /api/docs calls /api/…
    )
    app.state.services = services
    guard: dict[str, Any] = {}
    if settings.api_key:
        responses = errors({401: "The API key is missing or wrong"})
        guard = {"dependencies": [Depends(needs_key(settings.api_key))], "responses": responses}
    app.include_router(predict.router)
    app.include_router(read.router)
    app.include_router(inspect.router)
    app.include_router(feedback.router, **guard)
    app.include_router(feedback.erasure_router)
    app.include_router(models.router)
    for alias in ALIASES:
        app.include_router(models.alias_router, prefix=f"/{alias}", **guard)
    app.include_router(models.shadow_router, **guard)
    app.include_router(infer.router)
    app.include_router(operations.router)
    return app


class DoodleAPI(FastAPI):
    """FastAPI with middleware outside its own, so that it also sees the 500 for an unexpected exception."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Treat a path with a trailing slash as the one without, and HEAD as GET; the server drops the body."""
        if scope["type"] == "http":
            method = "GET" if scope["method"] == "HEAD" else scope["method"]
            scope = {**scope, "method": method, "path": scope["path"].removesuffix("/") or "/"}
        await super().__call__(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        services: Services = self.state.services
        routes = [route for route in iter_route_contexts(self.routes) if getattr(route, "include_in_schema", False)]
        paths = [route.path for route in routes if route.path]
        admission = Admission(super().build_middleware_stack(), MAX_REQUESTS, frozenset(paths))
        services.metrics.requests_in_flight.set_function(lambda: admission.in_flight)
        app: ASGIApp = admission
        if origins := services.settings.cors_origins:  # outside admission, so that scripts can also read a 429
            app = CORSMiddleware(app, origins, CORS_METHODS, CORS_ACCEPTED, expose_headers=CORS_EXPOSED)
        return RequestIds(RequestMetrics(AllowedHosts(app, services.settings.hosts), services.metrics, paths))

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI description, with the schemas of request bodies and problems."""
        if self.openapi_schema is None:
            super().openapi()["components"]["schemas"] |= schema_components()
        return self.openapi_schema or {}
