"""The page at /docs: Swagger UI from a public CDN, which shows the API's description and tries it out.

It may share its origin with Doodle's page. So its policy allows one script and one style sheet of one version, by their hashes,
and the line below, by its own. (FastAPI's page loads whatever the CDN has as the newest of a major version.)
"""

import base64
import hashlib

SWAGGER = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.35.0/"
STYLE_HASH = "sha384-WlYgdmXYOOBWL5apwjDEZwN+U3HmXSSu5R6V5aGxEcf7z+KuRNwBhoxKVN1i3D5I"
SCRIPT_HASH = "sha384-gjRm0bEPMeTmMh5jT2cHccIwCUZSTd8YC+j0d0sXw0MdGEfScduGpSyF3ZSSLkX9"
# Beside the page, also at /api/docs and /docs/. Without validatorUrl, a badge asks a public server about the description.
URL = r"location.pathname.replace(/docs\/?$/, 'openapi.json')"
START = f"SwaggerUIBundle({{ url: {URL}, dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null }});"
PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Doodle's API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{SWAGGER}swagger-ui.css" integrity="{STYLE_HASH}" crossorigin="anonymous">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{SWAGGER}swagger-ui-bundle.js" integrity="{SCRIPT_HASH}" crossorigin="anonymous"></script>
<script>{START}</script>
</body>
</html>
"""
START_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(START.encode()).digest()).decode()}'"
POLICY = (
    f"default-src 'none'; script-src {SWAGGER} {START_HASH}; style-src {SWAGGER} 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
