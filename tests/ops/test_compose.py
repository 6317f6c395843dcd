"""compose.yaml, read as the engine would: it follows the schema, each container is confined, and the parts fit."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from core.errors import StorageDown
from core.storage import BlobStorage
from tests.ops.conftest import BIN, ROOT
from tests.ops.dockerfile import stages
from tests.servers import eventually, free_port

OURS = ("migrate", "web", "worker", "beat")
ONCE = {"migrate", "bucket"}
SCHEMA = ROOT / "tests" / "vendor" / "compose-spec.json"


@pytest.fixture(scope="session")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(compose["services"])


def test_it_follows_the_schema_of_compose_files(compose: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert [f"{list(error.path)}: {error.message}" for error in Draft7Validator(schema).iter_errors(compose)] == []


def test_the_schema_would_refuse_a_slip(compose: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    slip = {**compose, "services": {"web": {"image": "x", "read_onyl": True}}}
    assert list(Draft7Validator(schema).iter_errors(slip))


def test_everything_that_the_product_leans_on_is_there(services: dict[str, Any]) -> None:
    always = {name for name, service in services.items() if not service.get("profiles")}
    assert always == {"postgres", "valkey", "migrate", "web", "worker", "beat", "nginx"}
    assert {name: service["profiles"] for name, service in services.items() if service.get("profiles")} == {
        "objects": ["s3"],
        "bucket": ["s3"],
        "clamav": ["scanner"],
    }


def test_each_container_is_confined(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert "docker.sock" not in json.dumps(service), name
        assert service["tmpfs"], name
        assert service["deploy"]["resources"]["limits"]["memory"] and service["pids_limit"], name
        assert service["logging"]["options"]["max-size"], name


def test_only_entrypoints_that_change_accounts_get_rights_back(services: dict[str, Any]) -> None:
    given = {name: set(service["cap_add"]) for name, service in services.items() if service.get("cap_add")}
    assert given.keys() == {"postgres", "clamav"}
    assert all(rights <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"} for rights in given.values())


def test_images_are_pinned(services: dict[str, Any]) -> None:
    for name, service in services.items():
        image, _colon, tag = service["image"].partition(":")
        if name in OURS:
            assert (image, tag, service["build"]) == ("quartier", "local", ".")
        else:
            assert re.match(r"\d+\.\d+", tag), f"{name}: {service['image']}"


def test_each_part_says_how_it_is(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if name in ONCE:
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        if name == "web":
            continue  # the image's own
        check = service["healthcheck"]
        assert check.get("disable") is (True if name == "beat" else None), name
    assert stages(ROOT / "Dockerfile")[-1].all("HEALTHCHECK")


def test_nothing_starts_before_what_it_needs(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert how["condition"] == expected, f"{name} → {other}"
            assert services[other].get("healthcheck", {}).get("disable") is None or other in ONCE
    assert {"migrate", "valkey"} <= services["web"]["depends_on"].keys()
    assert services["worker"]["depends_on"] == services["beat"]["depends_on"] == services["web"]["depends_on"]


def test_the_database_and_the_broker_are_reached_from_inside_alone(compose: dict[str, Any]) -> None:
    services, networks = compose["services"], compose["networks"]
    assert networks["back"]["internal"] is True and networks["front"]["internal"] is True
    for name in ("postgres", "valkey", "objects"):
        assert services[name]["networks"] == ["back"]
    assert [name for name, service in services.items() if service.get("ports")] == ["nginx"]
    # The web server itself reaches no address outside: what goes out (mail, signatures) others do.
    assert "out" not in services["web"]["networks"]
    assert "back" not in services["nginx"]["networks"]


def test_the_proxy_is_believed_and_nobody_else(compose: dict[str, Any]) -> None:
    (config,) = compose["networks"]["front"]["ipam"]["config"]
    named = compose["services"]["web"]["environment"]["TRUSTED_PROXIES"]
    assert named == f"${{TRUSTED_PROXIES:-{config['subnet']}}}"
    assert ipaddress.ip_network(config["subnet"]).is_private
    members = [name for name, service in compose["services"].items() if "front" in service["networks"]]
    assert sorted(members) == ["nginx", "web"]


def test_the_scheduler_is_one_and_keeps_its_notes_in_memory(services: dict[str, Any]) -> None:
    beat = services["beat"]
    assert beat["command"][beat["command"].index("--schedule") + 1].startswith("/tmp/")  # noqa: S108 - a tmpfs
    assert "replicas" not in beat["deploy"]
    assert any(line.startswith("/tmp") for line in beat["tmpfs"])  # noqa: S108


def test_volumes_are_named_and_used(compose: dict[str, Any]) -> None:
    used = set()
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).is_file(), source
            elif not source.startswith("$"):
                used.add(source)
    assert used == compose["volumes"].keys()


def test_nginx_and_the_product_mean_the_same_files(services: dict[str, Any]) -> None:
    """X-Accel hands a path over: both must find the same file there, and nginx may only read it."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    (storage,) = re.findall(r"^STORAGE_URL=file://(\S+)$", example, re.MULTILINE)
    assert storage.startswith("/data/")
    assert "files:/data" in services["web"]["volumes"]
    assert "files:/data:ro" in services["nginx"]["volumes"]
    assert f"alias {storage}/;" in (ROOT / "docs" / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    assert services["web"]["environment"]["SENDFILE"] == "${SENDFILE-x-accel}", "an empty one switches it off"


def test_secrets_come_from_the_environment(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|KEY", variable):
                assert value.startswith("${"), f"{name}: {variable}"
    assert all(services[name]["env_file"] == ".env" for name in OURS)


# --- The store ----------------------------------------------------------------------------------------------

KEY, SECRET = "schluessel", "geheimnis-des-speichers"


def _ports(count: int) -> list[int]:
    """Free ones, whose partner 10,000 above (its internal protocol) exists, too."""
    found: set[int] = set()
    while len(found) < count:
        if (port := free_port()) < 55000:
            found.add(port)
    return sorted(found)


@pytest.fixture
def store(services: dict[str, Any], tmp_path: Path) -> Iterator[int]:
    """The real program by the commands of compose.yaml, in a folder and on ports of its own; its S3 port."""
    master, volume, filer, s3, metrics = _ports(5)
    (command,) = services["objects"]["command"]
    (bucket,) = services["bucket"]["command"]
    for before, after in (
        ("-dir=/data", f"-dir={tmp_path}"),
        ("/tmp/s3.json", f"{tmp_path}/s3.json"),  # noqa: S108
        ("-ip=objects", "-ip=127.0.0.1"),
        ("-ip.bind=0.0.0.0", "-ip.bind=127.0.0.1"),
        ("-s3.port=8333", f"-s3.port={s3} -master.port={master} -volume.port={volume} -filer.port={filer}"),
        ("$$", "$"),
    ):
        assert before in command
        command = command.replace(before, after)
    assert metrics
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path), "S3_KEY": KEY, "S3_SECRET": SECRET}
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(["/bin/sh", "-euc", command], env=environment, stdout=output, stderr=output)

    def healthy() -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{s3}/healthz", timeout=3).close()
        except OSError:
            return False
        return True

    try:
        assert eventually(healthy, seconds=60), log.read_text()
        made = subprocess.run(
            ["/bin/sh", "-euc", bucket.replace("objects:9333", f"127.0.0.1:{master}")],
            env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert made.returncode == 0, made.stdout + made.stderr
        yield s3
    finally:
        process.kill()  # it takes its time to say goodbye
        process.wait(20)


def test_the_store_takes_files_from_whoever_has_the_key(store: int) -> None:
    good = BlobStorage(f"s3://{KEY}:{SECRET}@127.0.0.1:{store}/quartier?secure=0")
    good.save("health/x", ContentFile(b"Guten Tag"))
    assert b"".join(good.stream("health/x")) == b"Guten Tag"
    bad = BlobStorage(f"s3://{KEY}:falsch@127.0.0.1:{store}/quartier?secure=0")
    with pytest.raises(StorageDown) as refused:
        bad.save("health/y", ContentFile(b"Hallo"))
    assert refused.value.reason.startswith("refused: ")
    good.delete("health/x")
    assert not good.exists("health/x")
