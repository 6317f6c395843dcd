"""One OpenAPI document per contract, generated from the code by drf-spectacular.

The paths of a document are relative to its server, which is the prefix under which its door is mounted.
"""

from __future__ import annotations

import copy
import re
import threading
from dataclasses import dataclass, field
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.settings import spectacular_settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Door:
    """What a document says about itself; ``urls`` names the routing module once the door is open.

    ``prefix`` is where the door is mounted below its server; ``inline`` are schemas that the contract gives no name: they
    stand where they are used.
    """

    title: str
    server: str
    version: str = "1.0.0"
    summary: str = ""
    urls: str = ""
    prefix: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    schemas: dict[str, Any] = field(default_factory=dict)
    inline: frozenset[str] = frozenset()


DOORS = {
    "portal": Door(title="Resident and owner portal API", server="/"),
    "docms": Door(
        title="Document management API (docms)",
        server="/docms/api/v1",
        summary="Multi-tenant document distribution: sign-in, tenants, users, groups, folders, documents, "
        "notifications, logs, licences.",
        urls="docms.api.urls",
        tags=(
            ("Authentication", "Sign-in, tenant choice, sign-out."),
            ("TFA", "Second factor by time-based codes, kept per user and tenant."),
            ("App settings", "Settings for the whole installation, among them the password policy."),
            ("Password", "Own password, links by mail."),
            ("Tenants", "Tenants and their settings."),
            ("Users", "Members of a tenant."),
            ("Groups", "Groups tie users to folders."),
            ("Folders", "Folder tree."),
            ("Files", "Documents."),
            ("Labels", "Document labels and suggestions."),
            ("Favorites", "Favourite folders."),
            ("Permissions", "Whether a user reaches a folder and what is allowed there."),
            ("Logs", "System, document, sign-in and mail logs."),
        ),
        schemas={
            "Locale": {
                "type": "string",
                "enum": ["de_DE", "en_GB", "fr_FR", "pl_PL"],
                "description": "Supported interface and mail language.",
            }
        },
    ),
    "orgs": Door(
        title="Organizations API",
        server="/",
        prefix="/api/v1",
        summary="Organization tree, owners, availability, quick actions and trials.",
        urls="orgs.api.urls",
        tags=(
            ("organization", "Create, read, change and delete one organization and walk its children."),
            ("availability", "Present head counts by availability."),
            ("availability-history", "Head counts of the last 14 days."),
            ("avatar", "Picture shown for an organization."),
            ("location", "Postal address and coordinates."),
            ("owner", "Ownership and owner invitations."),
            ("quick-actions", "Shortcuts offered on the organization dashboard."),
            ("organizations", "Lists of organizations visible to the caller."),
            ("trial", "The caller's personal 14-day trial."),
        ),
    ),
    "tickets": Door(
        title="Support tickets API",
        server="/",
        prefix="/support",
        summary="Tickets raised at a location, their assignee, status, type and activity stream.",
        urls="tickets.api.urls",
        tags=(("Support", "Support tickets."), ("Attachments", "Files referred to by ticket comments.")),
        inline=frozenset(
            {
                "AssigneeBody",
                "AssigneeUpdate",
                "AttachmentRef",
                "AttachmentUpload",
                "AttachmentUploaded",
                "CommentBody",
                "CommentCreated",
                "Issue",
                "LemAI",
                "StatusBody",
                "StatusUpdate",
                "TicketCreateBody",
                "TypeBody",
                "TypeUpdate",
            }
        ),
    ),
    "processes": Door(title="Processes API", server="/", version="2.0.0"),
}

_documents: dict[str, dict[str, Any]] = {}
_lock = threading.Lock()


def document(name: str) -> dict[str, Any]:
    """The document of a contract, made once per process. Raises `KeyError` for an unknown name."""
    door = DOORS[name]
    with _lock:
        if name not in _documents:
            with translation.override("en"):
                _documents[name] = _generate(door)
        return _documents[name]


def as_yaml(name: str) -> bytes:
    """The document as YAML."""
    data: bytes = OpenApiYamlRenderer().render(document(name))
    return data


class _Generator(SchemaGenerator):
    """drf-spectacular's, without the hooks of its settings: enumerations stay where they are used."""

    def build(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Paths and components."""
        paths = self.parse(None, True)
        return paths, self.registry.build(spectacular_settings.APPEND_COMPONENTS)


def _generate(door: Door) -> dict[str, Any]:
    module: Any = import_module(door.urls) if door.urls else SimpleNamespace(urlpatterns=[])
    paths, components = _Generator(urlconf=module).build()
    if door.schemas:
        components["schemas"] = dict(sorted({**components.get("schemas", {}), **door.schemas}.items()))
    used = {tag for item in paths.values() for operation in item.values() for tag in operation.get("tags", ())}
    info = {"title": door.title, "version": door.version}
    if door.summary:
        info["summary"] = door.summary
    made = {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": door.server}],
        "tags": [{"name": tag, "description": words} for tag, words in door.tags if tag in used],
        "paths": {door.prefix + _camel(path): item for path, item in paths.items()},
        "components": components,
    }
    if door.inline:
        schemas = components["schemas"]
        for node in _objects(made):  # what was put in place is walked next
            _put_in_place(node, schemas, door.inline)
        for name in door.inline:
            del schemas[name]
    for node in _objects(made):
        _modern(node)
        if node.get("in") == "path" and isinstance(node.get("name"), str):
            node["name"] = _camel(node["name"])
    return made


def _camel(text: str) -> str:
    """Names of path parameters as the contracts write them: ``{folder_id}`` → ``{folderId}``."""
    return re.sub(r"(?<=[a-z])_([a-z])", lambda found: found[1].upper(), text)


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _objects(part)


def _put_in_place(node: dict[str, Any], schemas: dict[str, Any], names: frozenset[str]) -> None:
    """Replace a reference to a schema without a name of its own by the schema."""
    while str(node.get("$ref", "")).rpartition("/")[2] in names:
        node.update(copy.deepcopy(schemas[node.pop("$ref").rpartition("/")[2]]))


def _modern(schema: dict[str, Any]) -> None:
    """OpenAPI 3.1 has no ``nullable``: null is one of the types."""
    if schema.get("nullable") is not True:
        return
    del schema["nullable"]
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = [kind, "null"]
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
    elif "$ref" in schema:
        schema["oneOf"] = [{"$ref": schema.pop("$ref")}, {"type": "null"}]
    elif "allOf" in schema:
        schema["oneOf"] = [*schema.pop("allOf"), {"type": "null"}]
