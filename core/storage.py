"""Where bytes lie: a local folder or an S3 bucket, chosen by ``STORAGE_URL``. Services see one interface.

``file:///path`` keeps objects on disk, two folder levels deep; ``s3://key:secret@host:port/bucket?region=…&secure=0|1``
keeps them in a bucket. A new object is written to a temporary file first and appears under its name at once and
whole: by rename on disk, by one (multipart) upload on S3.
"""

from __future__ import annotations

import contextlib
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.utils.deconstruct import deconstructible

from core.bucket import Bucket
from core.disk import CHUNK, Disk, TempObject

if TYPE_CHECKING:
    import datetime
    import uuid
    from collections.abc import Iterator


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


@lru_cache(maxsize=8)
def _backend(url: str) -> _Backend:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return Disk(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.hostname and parts.path.strip("/"):
        return Bucket(url)
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
        return isinstance(self.backend, Disk)

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
