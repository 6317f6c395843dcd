"""What tests need many of, or need with real bytes.

Two kinds: functions that go through the real services (`folder`, `publish`, …), for tests of behaviour; and
factories that write plain rows, for tests that need a hundred of something. A factory makes what its name says
and nothing else.
"""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

import factory
from django.db import connection
from factory.django import DjangoModelFactory
from fpdf import FPDF

from core import scope
from core.errors import DomainError
from core.services import blobs
from core.text import sort_key
from docms.models import Document, Folder, Group
from docms.services import documents, folders, groups
from orgs.models import Community, Contact, Organization, Unit, User
from processes.models import Process, ProcessStage, ProcessType
from tickets.models import Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.models import Blob
    from tests.cast import Cast

# --- Through the services -------------------------------------------------------------------------------


def pdf(text: str = "Hausordnung") -> bytes:
    """One A4 page that says so."""
    document = FPDF()
    document.add_page()
    document.set_font("helvetica", size=20)
    document.cell(text=text)
    return bytes(document.output())


def stored(tenant: Organization, content: bytes = b"") -> Blob:
    """A blob of these bytes, else of a PDF."""
    return blobs.store(io.BytesIO(content or pdf()), tenant_id=tenant.pk, limit=50 * 1024 * 1024)


def folder(cast: Cast, name: str = "Papiere", group: Iterable[Group] | Group = (), **values: Any) -> Folder:
    """A folder of Brandt & Keller that these groups reach, made by its administrator."""
    reached_by = [group] if isinstance(group, Group) else list(group)
    return folders.create_folder(
        actor=cast.actor("admin"), tenant=cast.tenant, name=name, group_ids=[g.pk for g in reached_by], **values
    )


def manual_group(cast: Cast, name: str, *people: str, **values: Any) -> Group:
    """A group of these personas."""
    return groups.create_group(
        actor=cast.actor("admin"),
        tenant=cast.tenant,
        name=name,
        user_ids=[getattr(cast, who).pk for who in people],
        **values,
    )


def publish(cast: Cast, where: Folder, *, who: str = "admin", content: bytes = b"", **values: Any) -> Document:
    """A document with real bytes, a PDF unless given."""
    values.setdefault("filename", "hausordnung.pdf")
    return documents.publish(actor=cast.actor(who), folder=where, blob=stored(cast.tenant, content), **values)


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each call returned or was refused with; they start together, each in its own unit of work."""
    gate, outcomes = threading.Barrier(len(calls)), []

    def run(call: Callable[[], object]) -> None:
        try:
            with scope.unit_of_work(door="test"):
                gate.wait(10)
                result = call()
            outcomes.append(result)
        except DomainError as error:
            outcomes.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


# --- Plain rows -----------------------------------------------------------------------------------------


class UserFactory(DjangoModelFactory[User]):
    """An account that nobody can sign in with."""

    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"person{n}@factory.test")
    email = factory.SelfAttribute("username")
    first_name = "Erika"
    last_name = factory.Sequence(lambda n: f"Muster{n}")
    password = "!"


class CommunityFactory(DjangoModelFactory[Community]):
    """A community; give it a ``tenant``."""

    class Meta:
        model = Community

    organization = factory.SelfAttribute("tenant")
    name = factory.Sequence(lambda n: f"Haus {n}")
    sort_key = factory.LazyAttribute(lambda o: sort_key(o.name))


class UnitFactory(DjangoModelFactory[Unit]):
    """A unit; give it a ``community``."""

    class Meta:
        model = Unit

    tenant = factory.SelfAttribute("community.tenant")
    name = factory.Sequence(lambda n: f"Wohnung {n}")


class ContactFactory(DjangoModelFactory[Contact]):
    """Somebody of the register; give it a ``tenant``."""

    class Meta:
        model = Contact

    number = factory.Sequence(lambda n: f"F{n}")
    last_name = factory.Sequence(lambda n: f"Muster{n}")
    sort_key = factory.LazyAttribute(lambda o: sort_key(o.last_name))


class GroupFactory(DjangoModelFactory[Group]):
    """A manual group without people; give it a ``tenant``."""

    class Meta:
        model = Group

    name = factory.Sequence(lambda n: f"Gruppe {n}")
    sort_key = factory.LazyAttribute(lambda o: sort_key(o.name))


class FolderFactory(DjangoModelFactory[Folder]):
    """A top-level folder that nobody reaches; give it a ``tenant``."""

    class Meta:
        model = Folder

    name = factory.Sequence(lambda n: f"Ordner {n}")
    sort_key = factory.LazyAttribute(lambda o: sort_key(o.name))
    full_path_name = factory.SelfAttribute("name")


class DocumentFactory(DjangoModelFactory[Document]):
    """A document without content; give it a ``folder`` and ``uploaded_by``."""

    class Meta:
        model = Document

    tenant = factory.SelfAttribute("folder.tenant")
    title = factory.Sequence(lambda n: f"Schreiben {n}")
    sort_key = factory.LazyAttribute(lambda o: sort_key(o.title))
    filename = factory.Sequence(lambda n: f"schreiben-{n}.pdf")
    mime = "application/pdf"


class TicketFactory(DjangoModelFactory[Ticket]):
    """A new ticket without stream or requester; give it a ``community`` and ``created_by``."""

    class Meta:
        model = Ticket

    tenant = factory.SelfAttribute("community.tenant")
    number = factory.Sequence(lambda n: n + 1)
    identifier = factory.Sequence(lambda n: f"T-{n + 1}")
    title = factory.Sequence(lambda n: f"Wasserhahn {n}")
    description = "Er tropft."


class ProcessTypeFactory(DjangoModelFactory[ProcessType]):
    """A kind of case; give it a ``tenant``."""

    class Meta:
        model = ProcessType

    names = factory.Sequence(lambda n: {"de": f"Vorgangsart {n}"})


class ProcessStageFactory(DjangoModelFactory[ProcessStage]):
    """A stage; give it a ``type``."""

    class Meta:
        model = ProcessStage

    tenant = factory.SelfAttribute("type.tenant")
    names = factory.Sequence(lambda n: {"de": f"Stufe {n}"})


class ProcessFactory(DjangoModelFactory[Process]):
    """A case that goes on; give it ``account``, ``created_by_party``, ``contact`` and ``unit``."""

    class Meta:
        model = Process

    tenant = factory.SelfAttribute("unit.tenant")
    type = factory.SubFactory(ProcessTypeFactory, tenant=factory.SelfAttribute("..tenant"))
    number = factory.Sequence(lambda n: n + 1)
    subject = factory.Sequence(lambda n: f"Umbau {n}")
    report = "<p>Es geht los.</p>"
