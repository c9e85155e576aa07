"""The API's contract: pydantic models of each request body and response. OpenAPI is generated from them."""
