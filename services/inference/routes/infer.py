"""Open Inference Protocol v2 (KServe, Triton, MLServer): batches of images. The service does not log these images."""

from deployment.version import doodle_version
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic_core import to_json

from inference.admission import TOO_MUCH, Admission
from inference.errors import too_many_requests
from inference.infer import pixels_of, predictions, tensors
from inference.openapi import DRAWING_ERRORS, NO_MODEL, body_of
from inference.schemas.infer import INPUTS, MODEL, OUTPUTS, InferRequest, InferResponse, ModelMetadata, ServerMetadata
from inference.schemas.responses import Health
from inference.services import services_of
from inference.strict_route import StrictRoute

router = APIRouter(prefix="/v2", tags=["open inference protocol"], route_class=StrictRoute)

IMAGES_PER_PLACE = 4  # in a batch: they take about as long as one request to /predict
QUICK_IMAGES = 4  # as long as handing them to a thread


@router.get("", response_model=ServerMetadata)
async def get_server_metadata() -> Response:
    return JSONResponse({"name": "doodle", "version": doodle_version(), "extensions": ["binary_tensor_data"]})


@router.get("/health/live", response_model=Health)
async def is_server_live() -> Response:
    """Answer while the process is up."""
    return JSONResponse({"live": True})


@router.get("/health/ready", response_model=Health, responses=NO_MODEL)
@router.get(f"/models/{MODEL}/ready", name="is_model_ready", response_model=Health, responses=NO_MODEL)
async def is_server_ready(request: Request) -> Response:
    """Answer 200 once a model is loaded, 503 before."""
    _ = services_of(request).live.model
    return JSONResponse({"ready": True})


@router.get(f"/models/{MODEL}", response_model=ModelMetadata, responses=NO_MODEL)
async def get_model_metadata(request: Request) -> Response:
    """Describe the live model's input and outputs."""
    described = {"inputs": [each.model_dump() for each in INPUTS], "outputs": [each.model_dump() for each in OUTPUTS]}
    versions = [services_of(request).live.model.version]
    return JSONResponse({"name": MODEL, "versions": versions, "platform": "digitnet_numpy", **described})


@router.post(
    f"/models/{MODEL}/infer", response_model=InferResponse, responses=DRAWING_ERRORS, openapi_extra=body_of(InferRequest)
)
async def infer(request: Request) -> Response:
    """Predict up to 256 images, with the probabilities of /predict for the same vector.

    The label is -1 for no digit. Data may also follow the JSON as bytes (binary extension). The service logs no image.
    """
    services = services_of(request)
    model = services.live.model
    body, binary = await services.bodies.infer(request, services.batches)
    pixels = pixels_of(body, binary)
    admission: Admission = request.scope["admission"]
    with admission.more_places(request.scope["path"], (len(pixels) - 1) // IMAGES_PER_PLACE) as is_admitted:
        if not is_admitted:
            raise too_many_requests(TOO_MUCH)

        def answer() -> bytes:
            predicted = predictions(model, pixels)
            services.metrics.count_batch(predicted)
            names = [output.name for output in body.outputs] if body.outputs else None
            outputs = tensors(predicted, names)
            return to_json({"model_name": MODEL, "model_version": model.version, "id": body.id, "outputs": outputs})

        content = answer() if len(pixels) <= QUICK_IMAGES else await services.batches.run(request, answer)
    return Response(content, media_type="application/json")
