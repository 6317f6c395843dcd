"""Requests for every operation of every served document, made by schemathesis from its schema.

A generated id names nothing, and a generated text is no Base64: so more than half of the known parameters are replaced
by values of the world, own and foreign ones, that the request gets past the first look-up. What schemathesis has
spoiled stays spoiled.
"""

from __future__ import annotations

import base64
import copy
import functools
import itertools
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import schemathesis
import yaml
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation

from config.openapi import DOORS, document
from tests.cast import PASSWORD
from tests.core.material import picture
from tests.docms.door import PDF
from tests.fuzz.world import SUPPORT, WEIGHTED, basic_of
from tests.otp import otp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fuzz.world import World

MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
# Names of parameters and fields → values of the world that fit.
KINDS = {
    "folderId": "folder", "folder_id": "folder", "parent_folder_id": "folder", "last_folder_id": "folder",
    "folder_ids": "folder",
    "groupId": "group", "group_id": "group", "group_ids": "group",
    "userId": "user", "user_id": "user", "user_ids": "user", "groupadmin_ids": "user",
    "mail_after_upload_users": "user",
    "fileId": "file", "file_id": "file", "ids": "file", "preFilteredIds": "file",
    "tenantId": "tenant", "versionNo": "version", "label_name": "label", "mail": "mail", "token": "token",
    "donestate": "flag", "appId": "app", "shareId": "share", "shareToken": "share_token", "systemlogId": "systemlog",
    "organizationId": "organization", "organization_id": "organization", "invitationId": "invitation",
    "parentID": "parent", "id": "organization",
}  # fmt: skip
SUPPORT_KINDS = {
    "locationRef": "location", "ticketRef": "ticket", "key": "upload", "userRefRequester": "account",
    "userRefAssignee": "account", "membershipRefAssignee": "membership", "membershipRefRequester": "membership",
}  # fmt: skip
IN_PATHS = KINDS | {"name": "label", "code": "code", "tfainput": "code"}
# Fields whose generated text would nearly always be refused.
FITTING: dict[str, tuple[Any, ...]] = {
    "file_data": (base64.b64encode(PDF).decode(), "data:text/plain;base64,SGFsbG8="),
    "login_logo": (base64.b64encode(picture()).decode(),),
    "filename": ("brief.pdf", "Größe & Maß.txt"),
    "email": ("neu@quartier.test", "renter@quartier.test", "foreigner@quartier.test"),
    "username": ("neu", "renter@quartier.test"),
    "current_password": (PASSWORD,),
    "new_password": (PASSWORD, "Noch-ein-guter-Satz-2"),
    "mobile_number": ("+49 171 3920041",),
    "language": ("de", "en-GB"),
    "timezone": ("Europe/Berlin", "Asia/Kolkata"),
}
CONTRACTS = Path(__file__).parents[1] / "contracts"
ACCEPTS = ("application/json", "application/octet-stream", "*/*", "text/html;q=0.5, application/json")


@functools.cache
def operators_own() -> frozenset[str]:
    """What only the operator may do, by the contracts: ``PUT /app-settings``."""
    return frozenset(
        f"{method.upper()} {path}"
        for name, door in DOORS.items()
        if door.urls
        for path, item in yaml.safe_load((CONTRACTS / f"{name}.yaml").read_text(encoding="utf-8"))["paths"].items()
        for method, entry in item.items()
        if isinstance(entry, dict) and entry.get("x-permission", {}).get("role") == "operator"
    )


@dataclass(frozen=True)
class Request:
    """One request: whose, and what is sent."""

    role: str
    case: Any
    headers: dict[str, str]

    @property
    def prefix(self) -> str:
        """Where the paths of its document begin."""
        return str(self.case.operation.schema.raw_schema["servers"][0]["url"]).rstrip("/")


def operations() -> list[Any]:
    """What is served, of all contracts, simple ones first: what they do not need of their share goes to the others."""
    found = []
    for name, door in sorted(DOORS.items()):
        if door.urls:
            schema = schemathesis.openapi.from_dict(_without_security(document(name)))
            found += [result.ok() for result in schema.get_all_operations()]
    return sorted(found, key=lambda operation: (len(list(operation.iter_parameters())), len(operation.body)))


def _without_security(whole: dict[str, Any]) -> dict[str, Any]:
    """A copy: who calls is our choice, schemathesis would spoil the header or leave it out."""
    plain: dict[str, Any] = copy.deepcopy(whole)
    plain.get("components", {}).pop("securitySchemes", None)
    for item in plain["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict) and any("basicAuth" in need for need in operation.pop("security", ())):
                operation["x-password"] = True
    return plain


def edges(operation: Any, world: World, rnd: random.Random, most: int) -> Iterator[Request]:
    """Some of the requests at the edges of the schema: shortest, longest, one more, missing, of another type."""
    cases = list(
        itertools.islice(
            operation.schema.iter_coverage_cases(
                operation,
                generation_modes=MODES,
                generation_config=operation.schema.config.generation_for(operation=operation),
            ),
            2000,
        )
    )
    for case in rnd.sample(cases, min(most, len(cases))):
        yield _request(case, world, rnd, rnd.choice(_roles(operation)))


def requests(operation: Any, world: World) -> st.SearchStrategy[Request]:
    """Requests of one operation: valid ones and spoiled ones, of every role."""
    modes = MODES if operation.body or list(operation.iter_parameters()) else MODES[:1]
    # Twice as many valid ones: they get further.
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in [MODES[0], *modes]])
    return st.builds(
        lambda case, role, seed: _request(case, world, random.Random(seed), role),
        cases, st.sampled_from(_roles(operation)), st.integers(0, 2**32),
    )  # fmt: skip


def _roles(operation: Any) -> tuple[str, ...]:
    """Who may call, as often as it stands there."""
    return (*("operator",) * 20, *WEIGHTED) if operation.label in operators_own() else WEIGHTED


def _request(case: Any, world: World, rnd: random.Random, role: str) -> Request:
    if case.operation.path.startswith(SUPPORT):
        return _support_request(case, world, rnd, role)
    if isinstance(case.path_parameters, dict) and not case.meta.is_negative_at(ParameterLocation.PATH):
        _fit(rnd, world, case.path_parameters, IN_PATHS)
        if "/groupadmin/" in case.operation.path and rnd.random() < 0.5:
            case.path_parameters |= {name: world.led[name] for name in case.path_parameters.keys() & world.led}
    if isinstance(case.body, dict) and not case.meta.is_negative_at(ParameterLocation.BODY):
        for part in (case.body, case.body.get("metadata")):
            if isinstance(part, dict):
                _fit(rnd, world, part, KINDS)
    headers = {"Accept": rnd.choice(ACCEPTS)}
    if case.operation.definition.raw.get("x-password"):
        headers["Authorization"] = basic_of(role)
    else:
        headers |= world.signed_in(case.operation.path, role)
    return Request(role, case, headers)


def _support_request(case: Any, world: World, rnd: random.Random, role: str) -> Request:
    """Its bodies lie in envelopes, and its ids of tickets, comments and files all have the same names."""
    path = case.operation.path
    if isinstance(case.path_parameters, dict) and not case.meta.is_negative_at(ParameterLocation.PATH):
        _fit(
            rnd,
            world,
            case.path_parameters,
            {"id": "activity" if "/comment/" in path else "ticket", "key": "attachment"},
        )
    if isinstance(case.query, dict) and not case.meta.is_negative_at(ParameterLocation.QUERY):
        _fit(rnd, world, case.query, SUPPORT_KINDS)
    if isinstance(case.body, dict) and not case.meta.is_negative_at(ParameterLocation.BODY):
        inner = [part for part in case.body.values() if isinstance(part, dict)]
        files = [one for part in inner for one in part.get("attachments") or () if isinstance(one, dict)]
        for part in (case.body, *inner, *files):
            _fit(rnd, world, part, SUPPORT_KINDS)
    return Request(role, case, {"Accept": rnd.choice(ACCEPTS), **world.signed_in(path, role)})


def _fit(rnd: random.Random, world: World, values: dict[str, Any], kinds: dict[str, str]) -> None:
    """Replace some of the values in place."""
    for name in sorted(values.keys() & (kinds.keys() | FITTING.keys())):
        if rnd.random() > 0.7:
            continue
        options = FITTING.get(name) or _known(world, kinds[name])
        values[name] = (
            rnd.choices(options, k=rnd.randrange(4)) if isinstance(values[name], list) else rnd.choice(options)
        )


def _known(world: World, kind: str) -> tuple[Any, ...]:
    if kind == "code":
        return tuple(otp(secret) for secret in world.secrets)
    pool = world.values[kind]
    return pool.own * 3 + pool.foreign
