"""Keys to the storage, from the standard environment variables, for DuckDB and for obstore.

Lives in every process with an engine. Nothing here is ever logged or put into an error message.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

from mere.errors import StartupError
from mere.segment.locations import Location

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

Environment = Mapping[str, str]
_GOOGLE_ENDPOINT = "storage.googleapis.com"


def quote(text: str) -> str:
    """A DuckDB string literal."""
    return "'" + text.replace("'", "''") + "'"


def extensions_for(location: Location, environment: Environment) -> tuple[str, ...]:
    """The DuckDB extensions that reach this place, in load order."""
    if location.scheme == "az":
        return ("azure",)
    if location.scheme == "s3":
        return ("httpfs",) if _has_aws_keys(environment) else ("httpfs", "aws")
    return ("httpfs",) if location.scheme == "gs" else ()


def secret_statement(name: str, location: Location, environment: Environment) -> str | None:
    """CREATE SECRET for this place only (its SCOPE is the place's URL), or None where none is needed."""
    if location.is_local:
        return None
    options = {"s3": _s3_secret, "gs": _gcs_secret, "az": _azure_secret}[location.scheme](environment)
    options["SCOPE"] = quote(location.url)
    body = ", ".join(f"{key} {value}" for key, value in options.items())
    return f'CREATE OR REPLACE SECRET "{name}" ({body})'


def _has_aws_keys(environment: Environment) -> bool:
    return bool(environment.get("AWS_ACCESS_KEY_ID") and environment.get("AWS_SECRET_ACCESS_KEY"))


def _aws_endpoint(environment: Environment) -> str | None:
    return environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or None


def _aws_region(environment: Environment) -> str:
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"


def _s3_secret(environment: Environment) -> dict[str, str]:
    options = {"TYPE": "s3", "REGION": quote(_aws_region(environment))}
    if _has_aws_keys(environment):
        options["PROVIDER"] = "config"
        options["KEY_ID"] = quote(environment["AWS_ACCESS_KEY_ID"])
        options["SECRET"] = quote(environment["AWS_SECRET_ACCESS_KEY"])
        if token := environment.get("AWS_SESSION_TOKEN"):
            options["SESSION_TOKEN"] = quote(token)
    else:
        options["PROVIDER"] = "credential_chain"
        options["VALIDATION"] = "'none'"
    if endpoint := _aws_endpoint(environment):
        parts = urlsplit(endpoint)
        options["ENDPOINT"] = quote(parts.netloc + parts.path.rstrip("/"))
        options["USE_SSL"] = "false" if parts.scheme == "http" else "true"
        options["URL_STYLE"] = "'path'"
    return options


def _gcs_secret(environment: Environment) -> dict[str, str]:
    key, secret = environment.get("GOOGLE_ACCESS_KEY_ID"), environment.get("GOOGLE_SECRET_ACCESS_KEY")
    if not (key and secret):
        raise StartupError(
            "gs:// storage needs a service account's HMAC key: set GOOGLE_ACCESS_KEY_ID and GOOGLE_SECRET_ACCESS_KEY"
        )
    return {"TYPE": "gcs", "KEY_ID": quote(key), "SECRET": quote(secret)}


def _azure_secret(environment: Environment) -> dict[str, str]:
    if connection := environment.get("AZURE_STORAGE_CONNECTION_STRING"):
        return {"TYPE": "azure", "CONNECTION_STRING": quote(connection)}
    account = environment.get("AZURE_STORAGE_ACCOUNT_NAME") or environment.get("AZURE_STORAGE_ACCOUNT")
    if not account:
        raise StartupError("az:// storage needs AZURE_STORAGE_ACCOUNT_NAME or AZURE_STORAGE_CONNECTION_STRING")
    key = environment.get("AZURE_STORAGE_ACCOUNT_KEY") or environment.get("AZURE_STORAGE_KEY")
    if key:
        text = f"DefaultEndpointsProtocol=https;AccountName={account};AccountKey={key};EndpointSuffix=core.windows.net"
        return {"TYPE": "azure", "CONNECTION_STRING": quote(text)}
    options = {"TYPE": "azure", "ACCOUNT_NAME": quote(account)}
    principal = [environment.get(f"AZURE_{part}") for part in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")]
    if all(principal):
        names = ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET")
        return (
            options
            | {"PROVIDER": "service_principal"}
            | {name: quote(value or "") for name, value in zip(names, principal, strict=True)}
        )
    return options | {"PROVIDER": "credential_chain"}


def open_store(
    location: Location, environment: Environment, *, timeout: timedelta = timedelta(seconds=30), retries: int = 5
) -> ObjectStore:
    """An obstore store rooted at the place."""
    client: ClientConfig = {"timeout": timeout, "connect_timeout": min(timeout, timedelta(seconds=5))}
    retry: RetryConfig = {"max_retries": retries, "retry_timeout": timeout}
    prefix = location.prefix.rstrip("/") or None
    if location.scheme == "file":
        return LocalStore(Path(location.prefix), mkdir=True)
    if location.scheme == "gs":
        return _gcs_store(location, environment, prefix, client, retry)
    if location.scheme == "az":
        return AzureStore(location.bucket, prefix=prefix, client_options=client, retry_config=retry)
    endpoint = _aws_endpoint(environment)
    config: dict[str, Any] = {"region": _aws_region(environment)}
    if _has_aws_keys(environment):
        config["access_key_id"] = environment["AWS_ACCESS_KEY_ID"]
        config["secret_access_key"] = environment["AWS_SECRET_ACCESS_KEY"]
        if token := environment.get("AWS_SESSION_TOKEN"):
            config["session_token"] = token
    if endpoint:
        config["endpoint"] = endpoint
        config["virtual_hosted_style_request"] = False
        client["allow_http"] = endpoint.startswith("http://")
    return S3Store(location.bucket, prefix=prefix, client_options=client, retry_config=retry, **config)


def _gcs_store(
    location: Location, environment: Environment, prefix: str | None, client: ClientConfig, retry: RetryConfig
) -> ObjectStore:
    """With a service account obstore speaks Google's own protocol, else S3's with the HMAC key that DuckDB uses."""
    if environment.get("GOOGLE_APPLICATION_CREDENTIALS") or environment.get("GOOGLE_SERVICE_ACCOUNT"):
        return GCSStore(location.bucket, prefix=prefix, client_options=client, retry_config=retry)
    return S3Store(
        location.bucket,
        prefix=prefix,
        client_options=client,
        retry_config=retry,
        endpoint=f"https://{_GOOGLE_ENDPOINT}",
        region="auto",
        access_key_id=environment.get("GOOGLE_ACCESS_KEY_ID", ""),
        secret_access_key=environment.get("GOOGLE_SECRET_ACCESS_KEY", ""),
    )
