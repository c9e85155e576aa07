"""A route that rejects unknown query parameters, because most are misspelled."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from inference.errors import invalid_request
from inference.field_errors import unknown_parameters


class StrictRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = {parameter.alias for parameter in self.dependant.query_params}
        known |= {each["name"] for each in (self.openapi_extra or {}).get("parameters", ())}

        async def handle_known(request: Request) -> Response:
            if request.scope["query_string"] and (unknown := request.query_params.keys() - known):
                described = unknown_parameters(sorted(unknown), known)
                raise invalid_request(described.detail, errors=described.errors)
            return await handle(request)

        return handle_known


def operation_id(route: APIRoute) -> str:
    """Return the name of a route's function. A route of /live or /candidate has `by_alias` in it."""
    return route.name.replace("by_alias", route.path_format.split("/")[1])
