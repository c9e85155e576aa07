"""The API's contract: pydantic models of each body with its bounds, and of each response. OpenAPI is made from them."""
