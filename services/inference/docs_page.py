"""The page at /docs: Swagger UI from a public CDN, which shows the API's description and tries it out.

It may share its origin with Doodle's page. So its policy allows one script and one style sheet of one version, by their hashes,
and its own script, by its own. (FastAPI's page loads whatever the CDN has as the newest of a major version.)
"""

import base64
import hashlib
import re
from pathlib import Path

CDN = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.35.0/"
PAGE = Path(__file__).with_name("docs.html").read_text(encoding="utf-8")
SCRIPTS = "".join(re.findall("<script>(.*)</script>", PAGE))
HASH = f"'sha256-{base64.b64encode(hashlib.sha256(SCRIPTS.encode()).digest()).decode()}'"
POLICY = (
    f"default-src 'none'; script-src {CDN} {HASH}; style-src {CDN} 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
