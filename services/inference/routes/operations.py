"""Operations: probes, metrics, and the API's description."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from inference.docs_page import HEADERS, PAGE
from inference.openapi import NO_MODEL
from inference.schemas.responses import Status
from inference.services import services_of

router = APIRouter()


@router.get("/healthz", response_model=Status)
async def healthz() -> Response:
    """This process is up."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", response_model=Status, responses=NO_MODEL)
async def readyz(request: Request) -> Response:
    """A model is loaded, so predictions work."""
    _ = services_of(request).live.model
    return JSONResponse({"status": "ok"})


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """For Prometheus to scrape."""
    return Response(generate_latest(services_of(request).metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    return HTMLResponse(PAGE, headers=HEADERS)
