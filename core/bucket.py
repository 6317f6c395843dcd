"""Objects in a bucket of an S3 server."""

from __future__ import annotations

import contextlib
import datetime
import logging
import tempfile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import SuspiciousFileOperation

from core.disk import CHUNK, TempObject
from core.errors import StorageDown, StorageFull

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

PART = 16 * 1024 * 1024  # bytes of one part of a multipart upload
PARTS_IN_MEMORY = 3  # of one upload; the library's own limit is ten


class Bucket:
    """Objects in a bucket, through django-storages; what its methods promise is said in `core.storage.BlobStorage`."""

    def __init__(self, url: str) -> None:
        from boto3.s3.transfer import TransferConfig
        from botocore.config import Config
        from storages.backends.s3 import S3Storage

        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        scheme = "http" if query.get("secure", ["1"])[0] == "0" else "https"
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
        self.bucket = parts.path.strip("/")
        self.transfer = TransferConfig(multipart_threshold=PART + 1, multipart_chunksize=PART, max_concurrency=2)
        self.transfer.max_in_memory_upload_chunks = PARTS_IN_MEMORY
        self.s3 = S3Storage(
            access_key=unquote(parts.username or ""),
            secret_key=unquote(parts.password or ""),
            bucket_name=self.bucket,
            region_name=query.get("region", ["us-east-1"])[0],
            endpoint_url=f"{scheme}://{host}",
            use_ssl=scheme == "https",
            client_config=Config(
                s3={"addressing_style": "path"},
                signature_version="s3v4",
                connect_timeout=5,
                read_timeout=60,
                retries={"max_attempts": 3, "mode": "standard"},
                # Newer checksum headers are unknown to many servers that speak S3.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    @property
    def _client(self) -> Any:
        return self.s3.connection.meta.client

    def begin(self) -> TempObject:
        return TempObject(tempfile.TemporaryFile(), None)

    def commit(self, temp: TempObject, name: str) -> None:
        temp.file.seek(0)
        with self._talk():
            self._client.upload_fileobj(temp.file, self.bucket, _key(name), Config=self.transfer)
        temp.file.close()

    def checkpoint(self, temp: TempObject, name: str) -> None:
        raise NotImplementedError("objects of a bucket do not grow")

    def named(self, name: str) -> TempObject | None:
        return None

    def open(self, name: str) -> IO[bytes]:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        try:
            for chunk in self.stream(name, 0, self.size(name)):
                file.write(chunk)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def stream(self, name: str, start: int, length: int) -> Iterator[bytes]:
        if length <= 0:
            return
        whole = f"bytes={start}-{start + length - 1}"
        with self._talk(name):
            body = self._client.get_object(Bucket=self.bucket, Key=_key(name), Range=whole)["Body"]
            with contextlib.closing(body):
                yield from body.iter_chunks(CHUNK)

    def delete(self, name: str) -> None:
        with self._talk():
            self._client.delete_object(Bucket=self.bucket, Key=_key(name))

    def exists(self, name: str) -> bool:
        try:
            self.size(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        with self._talk(name):
            return int(self._client.head_object(Bucket=self.bucket, Key=_key(name))["ContentLength"])

    def names(self, prefix: str) -> Iterator[tuple[str, datetime.datetime]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix + "/")
        with self._talk():
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield entry["Key"], entry["LastModified"]

    def abandon(self, before: datetime.datetime) -> int:
        pages, ended = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket), 0
        with self._talk():
            for page in pages:
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < before:
                        which = {"Key": upload["Key"], "UploadId": upload["UploadId"]}
                        self._client.abort_multipart_upload(Bucket=self.bucket, **which)
                        ended += 1
        return ended

    def local_path(self, name: str) -> Path | None:
        return None

    @contextlib.contextmanager
    def _talk(self, name: str = "") -> Iterator[None]:
        """Errors of the server in words of the house: `FileNotFoundError` for the object, else `StorageDown`."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            status, code = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
            if name and status == 404 and code != "NoSuchBucket":
                self._require_bucket()  # the answer to HEAD has no body that would tell
                raise FileNotFoundError(name) from error
            if status == StorageFull.status:
                raise StorageFull from error
            gone = code in ("NoSuchBucket", "404")
            raise _down(f"the bucket {self.bucket} does not exist" if gone else f"refused: {code}") from error
        except (BotoCoreError, Boto3Error) as error:
            raise _down(f"no answer: {type(error).__name__}") from error

    def _require_bucket(self) -> None:
        with self._talk():
            self._client.head_bucket(Bucket=self.bucket)


def _key(name: str) -> str:
    """The name, unless it leads out of the bucket: some servers keep buckets as folders."""
    if name.startswith("/") or ".." in name.split("/"):
        raise SuspiciousFileOperation(f"The name {name!r} lies outside of the bucket.")
    return name


def _down(reason: str) -> StorageDown:
    log.error("STORAGE_URL: %s", reason)
    return StorageDown(reason)
