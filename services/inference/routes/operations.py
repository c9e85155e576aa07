"""Operations: probes, metrics, and the API's description."""

import base64
import hashlib
import re
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from inference.conditional import json_answer
from inference.openapi import NO_MODEL
from inference.schemas.responses import Status
from inference.services import services_of

router = APIRouter(tags=["operations"])

# Swagger UI may share its origin with Doodle's page, so its policy allows only one pinned version of its script and style sheet.
# FastAPI's own page loads the newest release of a major version.
DOCS = Path(__file__).parents[1].joinpath("docs.html").read_text(encoding="utf-8")
CDN = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.35.0/"
SCRIPT_HASH = base64.b64encode(hashlib.sha256(re.findall("<script>(.*)</script>", DOCS)[0].encode()).digest()).decode()
DOCS_POLICY = (
    f"default-src 'none'; script-src {CDN} 'sha256-{SCRIPT_HASH}'; style-src {CDN} 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/healthz", response_model=Status)
async def healthz() -> Response:
    """Answer while the process is up."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", response_model=Status, responses=NO_MODEL)
async def readyz(request: Request) -> Response:
    """Answer 200 once a model is loaded, 503 before."""
    _ = services_of(request).live.model
    return JSONResponse({"status": "ok"})


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Return all metrics as Prometheus text."""
    return Response(generate_latest(services_of(request).metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    return json_answer(request, request.app.openapi())


@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    return HTMLResponse(DOCS, headers={"Content-Security-Policy": DOCS_POLICY, "Referrer-Policy": "no-referrer"})
