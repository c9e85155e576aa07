"""The model store keeps every published model, and the aliases live and candidate. `open_models` opens it at a URL."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from stores.models.base import ALIASES, CANDIDATE, LIVE, ModelStore, OvertakenError, StoreError, UnreachableError

__all__ = ["ALIASES", "CANDIDATE", "LIVE", "ModelStore", "OvertakenError", "StoreError", "UnreachableError", "open_models"]


def open_models(url: str) -> ModelStore:
    """Return the store at a URL: a path, file:///path or s3://bucket/prefix. Nothing is read or written before the first call."""
    # Imported here, because the SDK's import takes time that a folder does not need.
    if url.startswith("s3:"):
        from stores.models.s3 import S3Models

        return S3Models(url)
    from stores.models.folder import FolderModels

    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return FolderModels(Path(unquote(parts.path)))
    if url and not parts.scheme:
        return FolderModels(Path(url))
    raise StoreError(
        f"{url!r} is not a model store: give a folder, such as state/models or file:///models, or s3://bucket/prefix"
    )
