"""Files of a form on their way: written to where bytes lie, and hashed, while they come over the line."""

from __future__ import annotations

import hashlib
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from core.disk import CHUNK
from core.storage import storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.disk import TempObject


class ArrivedFile(UploadedFile):
    """A file of a form. `core.services.blobs.store` gives it its name without reading it again; what nobody stores goes
    with the request.
    """

    DEFAULT_CHUNK_SIZE = CHUNK

    def __init__(self, temp: TempObject, sha256: bytes, **told: Any) -> None:
        super().__init__(file=cast("Any", temp.file), size=temp.size, **told)
        self.temp, self.sha256 = temp, sha256

    def close(self) -> None:
        """Forget the bytes. Harmless when they are stored."""
        self.temp.discard()


class ArrivingFiles(FileUploadHandler):
    """Django's handler of the files of a form."""

    chunk_size = CHUNK
    _temp: TempObject | None = None

    @contextmanager
    def forgotten_when_it_fails(self) -> Iterator[None]:
        """The file that was coming goes at once when the form breaks off, not when nobody remembers the error any more."""
        try:
            yield
        except BaseException:
            if self._temp is not None:
                self._temp.discard()
            raise

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Another file begins."""
        super().new_file(*args, **kwargs)
        self._temp, self._digest = storage().begin(), hashlib.sha256()
        self._tidy = weakref.finalize(self, self._temp.discard)  # a line that breaks ends the request

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """More of it; no other handler needs to see it."""
        assert self._temp is not None, "a file has begun"
        self._temp.write(raw_data)
        self._digest.update(raw_data)

    def file_complete(self, file_size: int) -> ArrivedFile:
        """There is no more of it."""
        assert self._temp is not None, "a file has begun"
        self._tidy.detach()
        self._temp.file.seek(0)
        arrived = ArrivedFile(
            self._temp,
            self._digest.digest(),
            name=self.file_name,
            content_type=self.content_type,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
        weakref.finalize(arrived, self._temp.discard)
        return arrived
