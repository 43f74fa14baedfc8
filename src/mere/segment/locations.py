"""Storage URLs: what the user writes after --storage, or in COPY, taken apart. Pure; used in every process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mere.errors import StorageError

_SCHEMES = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "azure": "az"}


@dataclass(frozen=True, slots=True)
class Location:
    """A place that holds objects. `scheme` is 'file', 's3', 'gs' or 'az'; `bucket` is empty for 'file'.

    `prefix` is empty or ends with '/'; for 'file' it is the absolute directory.
    """

    scheme: str
    bucket: str
    prefix: str

    @property
    def url(self) -> str:
        """As DuckDB and DuckLake's data_path write it; always ends with '/'."""
        if self.scheme == "file":
            return self.prefix
        return f"{self.scheme}://{self.bucket}/{self.prefix}"

    @property
    def is_local(self) -> bool:
        return self.scheme == "file"

    def under(self, path: str) -> str:
        """The absolute URL of a path relative to this place; an absolute URL below it stays as it is."""
        return path if path.startswith(self.url) else self.url + path

    def relative(self, url: str) -> str:
        """The inverse of `under`."""
        if not url.startswith(self.url):
            raise StorageError(f'"{url}" is not below "{self.url}"')
        return url[len(self.url) :]


def parse_location(text: str) -> Location:
    """`s3://bucket/prefix`, `gs://...`, `az://container/prefix`, `file:///dir` or a directory."""
    scheme, bucket, path = split_url(text)
    if scheme == "file":
        return Location("file", "", path.rstrip("/") + "/")
    prefix = path.strip("/")
    return Location(scheme, bucket, prefix + "/" if prefix else "")


def split_url(text: str) -> tuple[str, str, str]:
    """(scheme, bucket, path) of a URL or a local path; the path keeps wildcards and, for 'file', is absolute."""
    if "\0" in text or not text:
        raise StorageError(f'invalid storage URL "{text!r}"', sqlstate="22023")
    if "://" not in text:
        return "file", "", _absolute(text)
    parts = urlsplit(text, allow_fragments=False)
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise StorageError(f'a file URL names no host: "{text}"', sqlstate="22023")
        return "file", "", _absolute(unquote(parts.path))
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme is None:
        known = "s3://, gs://, az://, file:// or a directory"
        raise StorageError(f'unknown kind of storage "{parts.scheme}://": give {known}', sqlstate="22023")
    if not parts.netloc or "@" in parts.netloc:
        raise StorageError(f'the storage URL "{text}" names no bucket', sqlstate="22023")
    # urlsplit takes '?' for a query, which is a wildcard here.
    path = text[text.index("://") + 3 + len(parts.netloc) :].lstrip("/")
    if ".." in path.split("/"):
        raise StorageError(f'the storage URL "{text}" must not contain ".."', sqlstate="22023")
    return scheme, parts.netloc, path


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute().resolve())
