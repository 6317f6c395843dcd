"""Bytes on their way into an object, and objects as files of a folder."""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import shutil
import threading
import uuid
from pathlib import Path
from typing import IO, TYPE_CHECKING

from django.utils._os import safe_join

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 256 * 1024  # bytes that are in memory at a time
EARLY = 32 * 1024 * 1024  # bytes of a file that is still growing which the disk is given to write


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


class Disk:
    """Objects as files below one folder; what its methods promise is said in `core.storage.BlobStorage`."""

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
