"""Where bytes lie: a local folder or an S3 bucket, chosen by ``STORAGE_URL``. Services see one interface.

``file:///path`` keeps objects on disk, two folder levels deep; ``s3://key:secret@host:port/bucket?region=…&secure=0|1``
keeps them in a bucket. A new object is written to a temporary file first and appears under its name at once and
whole: by rename on disk, by one (multipart) upload on S3.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import logging
import os
import shutil
import tempfile
import threading
import uuid
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.utils._os import safe_join
from django.utils.deconstruct import deconstructible

from core.errors import StorageDown, StorageFull

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

CHUNK = 256 * 1024  # bytes that are in memory at a time
EARLY = 32 * 1024 * 1024  # bytes of a file that is still growing which the disk is given to write
S3_PART = 16 * 1024 * 1024  # bytes of one part of a multipart upload
S3_PARTS_IN_MEMORY = 3  # of one upload; the library's own limit is ten


def storage() -> BlobStorage:
    """The installation's storage."""
    return cast("BlobStorage", storages["default"])


def blob_name(key: uuid.UUID) -> str:
    """Where the content of a blob lies."""
    return f"blobs/{key.hex[:2]}/{key.hex[2:4]}/{key.hex}"


def preview_name(key: uuid.UUID) -> str:
    """Where the preview of a blob lies."""
    return f"previews/{key.hex[:2]}/{key.hex[2:4]}/{key.hex}"


def part_name(upload_id: int, key: str) -> str:
    """Where a piece of an unfinished upload lies."""
    return f"parts/{upload_id}/{key}"


class TempObject:
    """Bytes on their way: a file that nobody sees until `BlobStorage.commit` gives it a name."""

    def __init__(self, file: IO[bytes], path: Path | None, *, is_named: bool = False) -> None:
        self.file, self.path, self.size = file, path, 0
        self.is_named = is_named  # what it holds so far has a name already, see `BlobStorage.checkpoint`
        self._hurried = 0  # bytes that the disk has been asked to write while more come
        self._hurrying: threading.Thread | None = None

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        self.file.write(chunk)
        self.size += len(chunk)
        if self.path and self.size - self._hurried >= EARLY:
            self._hurry(self.path)

    def _hurry(self, path: Path) -> None:
        """Have the disk write what there is while more comes, so that whoever waits for it at the end waits for little."""
        if self._hurrying is None or not self._hurrying.is_alive():
            self._hurried = self.size
            self._hurrying = threading.Thread(target=_write_early, args=(path,), daemon=True)
            self._hurrying.start()

    def discard(self) -> None:
        """Forget the bytes. Harmless after a commit, and when they are forgotten."""
        with contextlib.suppress(OSError):  # what a full disk did not take, closing tries to write once more
            self.file.close()
        if self.path and not self.is_named:
            self.path.unlink(missing_ok=True)
            self.path = None


class _Backend(Protocol):
    def begin(self) -> TempObject: ...
    def commit(self, temp: TempObject, name: str) -> None: ...
    def checkpoint(self, temp: TempObject, name: str) -> None: ...
    def named(self, name: str) -> TempObject | None: ...
    def open(self, name: str) -> IO[bytes]: ...
    def stream(self, name: str, start: int, length: int) -> Iterator[bytes]: ...
    def delete(self, name: str) -> None: ...
    def exists(self, name: str) -> bool: ...
    def size(self, name: str) -> int: ...
    def names(self, prefix: str) -> Iterator[tuple[str, datetime.datetime]]: ...
    def abandon(self, before: datetime.datetime) -> int: ...
    def local_path(self, name: str) -> Path | None: ...


class _Disk:
    """Objects as files below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, name: str) -> Path:
        return Path(safe_join(str(self.root), name))

    def begin(self) -> TempObject:
        path = self._path(f"tmp/{uuid.uuid4().hex}")
        path.parent.mkdir(parents=True, exist_ok=True)
        return TempObject(path.open("x+b"), path)

    def commit(self, temp: TempObject, name: str) -> None:
        target = self._path(name)
        temp.file.flush()
        target.parent.mkdir(parents=True, exist_ok=True)
        assert temp.path is not None
        # Named first, so that the disk writes bytes and name in one go; nobody looks for the name before this returns.
        if temp.is_named:
            self._name_twice(temp.path, target)  # the other name stays until whoever gave it takes it away
        else:
            temp.path.replace(target)
            temp.path = None
        try:
            os.fsync(temp.file.fileno())
            temp.file.close()
            _write_through(target.parent)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _name_twice(self, path: Path, target: Path) -> None:
        """A second name; a copy on file systems that know no second names."""
        try:
            os.link(path, target)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
                raise
            copy = self.begin()
            with path.open("rb") as source:
                shutil.copyfileobj(source, copy.file, CHUNK)
            self.commit(copy, target.relative_to(self.root).as_posix())

    def checkpoint(self, temp: TempObject, name: str) -> None:
        temp.file.flush()
        os.fsync(temp.file.fileno())
        if temp.is_named:
            return
        target = self._path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        assert temp.path is not None
        temp.path.replace(target)
        _write_through(target.parent)
        temp.path, temp.is_named = target, True

    def named(self, name: str) -> TempObject | None:
        path = self._path(name)
        found = TempObject(path.open("r+b"), path, is_named=True)
        found.size = path.stat().st_size
        return found

    def open(self, name: str) -> IO[bytes]:
        return self._path(name).open("rb")

    def stream(self, name: str, start: int, length: int) -> Iterator[bytes]:
        with self.open(name) as file:
            file.seek(start)
            while length > 0 and (chunk := file.read(min(CHUNK, length))):
                length -= len(chunk)
                yield chunk

    def delete(self, name: str) -> None:
        path = self._path(name)
        path.unlink(missing_ok=True)
        if name.startswith("parts/"):
            with contextlib.suppress(OSError):
                path.parent.rmdir()  # only when it was the last piece

    def exists(self, name: str) -> bool:
        return self._path(name).is_file()

    def size(self, name: str) -> int:
        return self._path(name).stat().st_size

    def names(self, prefix: str) -> Iterator[tuple[str, datetime.datetime]]:
        for folder, _folders, files in os.walk(self._path(prefix)):
            for file in files:
                path = Path(folder, file)
                with contextlib.suppress(FileNotFoundError):
                    modified = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC)
                    yield str(path.relative_to(self.root)), modified

    def abandon(self, before: datetime.datetime) -> int:
        return 0  # what a crash left has a name below tmp/

    def local_path(self, name: str) -> Path | None:
        return self._path(name)


def _write_early(path: Path) -> None:
    """Through a file handle of its own: an error of the disk is told to each, so the writer hears of it as well."""
    with contextlib.suppress(OSError):
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(opened)
        finally:
            os.close(opened)


def _write_through(folder: Path) -> None:
    """The names in a folder, too, survive a loss of power."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class _S3:
    """Objects in a bucket, through django-storages."""

    def __init__(self, url: str) -> None:
        from boto3.s3.transfer import TransferConfig
        from botocore.config import Config
        from storages.backends.s3 import S3Storage

        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        scheme = "http" if query.get("secure", ["1"])[0] == "0" else "https"
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
        self.bucket = parts.path.strip("/")
        self.transfer = TransferConfig(multipart_threshold=S3_PART + 1, multipart_chunksize=S3_PART, max_concurrency=2)
        self.transfer.max_in_memory_upload_chunks = S3_PARTS_IN_MEMORY
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


@lru_cache(maxsize=8)
def _backend(url: str) -> _Backend:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return _Disk(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.hostname and parts.path.strip("/"):
        return _S3(url)
    raise ImproperlyConfigured(
        "STORAGE_URL: say where files are kept, file:///path or s3://key:secret@host:port/bucket?region=…"
    )


@deconstructible
class BlobStorage(Storage):
    """Django's storage interface plus what stored bytes need. Names are paths like those of `blob_name`.

    Reading what does not exist raises `FileNotFoundError`; a bucket that does not answer, is missing or refuses the
    key raises `StorageDown` whatever is done. Objects have no address of their own: a view that knows the rights
    delivers them.
    """

    def __init__(self, url: str = "") -> None:
        self._url = url

    @property
    def backend(self) -> _Backend:
        """Disk or bucket. Raises `ImproperlyConfigured` when ``STORAGE_URL`` says neither."""
        return _backend(self._url or settings.STORAGE_URL)

    def begin(self) -> TempObject:
        """Start a new object; end with `commit` or `TempObject.discard`."""
        return self.backend.begin()

    def commit(self, temp: TempObject, name: str) -> None:
        """Let the object appear under its name, whole and written through."""
        self.backend.commit(temp, name)

    @property
    def grows(self) -> bool:
        """Whether objects may be read while bytes are still added to them: files may, those of a bucket not."""
        return isinstance(self.backend, _Disk)

    def checkpoint(self, temp: TempObject, name: str) -> None:
        """Let what an object holds so far appear under a name, written through, and go on adding; where it `grows`."""
        self.backend.checkpoint(temp, name)

    def named(self, name: str) -> TempObject | None:
        """An object as something that `commit` gives one more name, without copying; none where that is not possible.

        Raises `FileNotFoundError`.
        """
        return self.backend.named(name)

    def stream(self, name: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of an object in chunks of at most 256 KiB."""
        return self.backend.stream(name, start, self.size(name) - start if length is None else length)

    def names(self, prefix: str) -> Iterator[tuple[str, datetime.datetime]]:
        """Every object below a folder, with the moment it was written."""
        return self.backend.names(prefix)

    def abandon(self, before: datetime.datetime) -> int:
        """End uploads to the bucket that began before a moment and never ended; they have no name but cost room."""
        return self.backend.abandon(before)

    def local_path(self, name: str) -> Path | None:
        """The file on this machine, or none when objects lie in a bucket."""
        return self.backend.local_path(name)

    @contextlib.contextmanager
    def local_copy(self, name: str) -> Iterator[Path]:
        """A file on this machine with the object's bytes, for programs that want a path. Raises `FileNotFoundError`."""
        path = self.local_path(name)
        if path is not None:
            if not path.is_file():
                raise FileNotFoundError(name)
            yield path
            return
        with tempfile.NamedTemporaryFile() as file:
            for chunk in self.stream(name):
                file.write(chunk)
            file.flush()
            yield Path(file.name)

    def delete(self, name: str) -> None:
        """Remove an object; one that is gone already is fine."""
        self.backend.delete(name)

    def exists(self, name: str) -> bool:
        """Whether the object is there."""
        return self.backend.exists(name)

    def size(self, name: str) -> int:
        """Bytes."""
        return self.backend.size(name)

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            raise ValueError("Stored objects are read-only.")
        return File(self.backend.open(name), name)

    def _save(self, name: str, content: File[bytes]) -> str:
        temp = self.begin()
        try:
            for chunk in content.chunks(CHUNK):
                temp.write(chunk)
            self.commit(temp, name)
        finally:
            temp.discard()
        return name
