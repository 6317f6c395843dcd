"""The papers of a large world, by COPY: a tree of folders for each community, reached through derived groups.

The rows are those of `folders.create_folder`, `groups.derived_group`, `documents.publish`, and of the workers who then
announce a paper and read its text: all of it is old news, so that no job finds a million things to do. The bytes and
the search vectors of a few hundred different papers are made once, by the services, and shared. The log entries of the
uploads are there; of the audit the command writes one entry for each table instead of one for each row.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import TextField
from django.db.models.functions import Cast
from django.utils import timezone

from core.models import Blob
from core.services import blobs
from core.services.bulk import Loader
from core.text import sort_key
from docms.demo import pdf
from docms.models import (
    Document,
    DocumentIndex,
    DocumentLog,
    DocumentVersion,
    Folder,
    FolderAccess,
    FolderLabel,
    Group,
    GroupMember,
    ReadMark,
)
from docms.services import indexing
from docms.services.groups import derived_name
from orgs.demo import Company
from orgs.demo_large import LargeHouse, Resident
from orgs.models import Community, Organization, Unit

LABEL = ("Wichtig", "#b3261e")  # in every folder but those of units; every fifth paper there carries it
READ = 20  # papers that each person has opened already
BOARD = 5  # people in the group that was made by hand
SPAN = datetime.timedelta(days=3 * 365)  # in which the papers came
# Folders of every community, each with the group that reaches it; below "Einheiten" lie those of the units.
TOPICS = (
    ("Hausordnung", ""), ("Haus und Technik", ""), ("Aushänge", ""), ("Verträge und Versicherung", ""),
    ("Versammlungen", "owner"), ("Wirtschaftspläne", "owner"), ("Mietersachen", "renter"), ("Beirat", "board"),
    ("Einheiten", None),
)  # fmt: skip
FIXED_FOLDERS = len(TOPICS) + 1
FIXED_GROUPS = 4
KINDS = (
    "Hausordnung", "Merkblatt Lüften und Heizen", "Wartung der Heizung", "Energieausweis", "Gebäudeversicherung",
    "Einladung zur Eigentümerversammlung", "Protokoll der Versammlung", "Wirtschaftsplan", "Jahresabrechnung",
    "Nebenkostenabrechnung", "Heizkostenabrechnung", "Ablesung der Zähler", "Legionellenprüfung", "Winterdienst",
    "Treppenhausreinigung", "Gartenpflege", "Aufzugsprüfung", "Brandschutzbegehung", "Rauchwarnmelder",
    "Angebot für die Fassade", "Rechnung des Dachdeckers", "Rechnung des Elektrikers", "Vergabe der Malerarbeiten",
    "Beschlusssammlung", "Teilungserklärung", "Verwaltervertrag", "Hausgeldabrechnung", "Mahnung", "Mietvertrag",
    "Übergabeprotokoll", "Wohnungsgeberbestätigung", "Kautionsabrechnung", "Stellplatzvergabe", "Schließplan",
    "Müllabfuhr", "Rundschreiben",
)  # fmt: skip
YEARS = range(2015, 2027)


class Found(NamedTuple):
    """What a paper is found by, as the database makes it."""

    title: str
    vector: str
    names: str


@dataclass(frozen=True)
class Paper:
    """One of the papers that are shared: what it is called, its bytes, and what it is found by."""

    title: str
    sort_key: str
    filename: str
    blob: Blob
    text: str
    plain: Found
    labelled: Found


@dataclass
class _Tree:
    """The folders of the whole company in their order, and what a document takes over from its folder."""

    folders: list[Folder] = field(default_factory=list)
    access: list[tuple[int, int]] = field(default_factory=list)  # folder, group
    labels: dict[int, int] = field(default_factory=dict)  # folder → label
    open: dict[int, list[int]] = field(default_factory=dict)  # community → places of what everyone reaches


def papers(company: Company) -> list[Paper]:
    """Store the bytes and have the database make the vectors, which COPY cannot."""
    found = []
    for kind in KINDS:
        lines = (f"{kind} der Gemeinschaft.", "Bitte bewahren Sie dieses Schreiben auf.", "Ihre Hausverwaltung")
        blob = blobs.store(
            io.BytesIO(pdf(kind, company.tenant.name, lines)), tenant_id=company.tenant.pk, limit=10 * 1024 * 1024
        )
        text = indexing.text_of(blob)
        titles = [f"{kind} {year}" for year in YEARS]
        vectors = _vectors(company.tenant, titles, text)
        found += [Paper(title, sort_key(title), f"{title}.pdf", blob, text, *vectors[title]) for title in titles]
    return found


def _vectors(tenant: Organization, titles: Sequence[str], text: str) -> dict[str, tuple[Found, Found]]:
    """For each title what the paper is found by, without and with the label; in one query."""
    label = FolderLabel(name=LABEL[0])
    rows = {
        (title, carried is not None): indexing.row_of(
            Document(title=title, filename=f"{title}.pdf", label=carried), text
        )
        for title in titles
        for carried in (None, label)
    }
    columns = {
        f"{column}_{number}": Cast(getattr(row, column), TextField())
        for number, row in enumerate(rows.values())
        for column in ("vector", "names")
    }
    made = Organization.objects.filter(pk=tenant.pk).annotate(**columns).values(*columns).get()
    found = {
        key: Found(row.title, made[f"vector_{number}"], made[f"names_{number}"])
        for number, (key, row) in enumerate(rows.items())
    }
    return {title: (found[title, False], found[title, True]) for title in titles}


def build(
    house: LargeHouse, shared: Sequence[Paper], loader: Loader, *, seed: int, folders: int, groups: int, documents: int
) -> None:
    """Write the tree, then the documents: as many in each folder, one after the other as they came over three years.

    Each community has at least `FIXED_FOLDERS` folders and `FIXED_GROUPS` groups; what is more goes to its units.
    """
    tree = _Tree()
    circles: list[Group] = []
    members: list[GroupMember] = []
    for number, community in enumerate(house.communities):
        share = _Share(
            folders=_share(folders, number, len(house.communities)),
            groups=_share(groups, number, len(house.communities)),
        )
        _community(house, community, share, tree, circles, members, loader)
    loader.copy(Group, circles)
    loader.copy(GroupMember, members)
    loader.copy(Folder, tree.folders)
    tenant = house.company.tenant
    loader.copy(FolderAccess, (FolderAccess(tenant=tenant, folder_id=f, group_id=g) for f, g in tree.access))
    labels = [FolderLabel(tenant=tenant, folder_id=f, name=LABEL[0], color=LABEL[1]) for f in tree.labels]
    loader.number(FolderLabel, labels)
    loader.copy(FolderLabel, labels)
    tree.labels = {label.folder_id: label.pk for label in labels}
    with loader.bare(Document, DocumentVersion, DocumentIndex, DocumentLog, ReadMark):
        _Documents(house, tree, shared, loader, seed=seed, count=documents).write()


def _share(total: int, number: int, parts: int) -> int:
    return total // parts + (number < total % parts)


@dataclass(frozen=True)
class _Share:
    """What one community gets."""

    folders: int
    groups: int


def _community(
    house: LargeHouse,
    community: Community,
    share: _Share,
    tree: _Tree,
    circles: list[Group],
    members: list[GroupMember],
    loader: Loader,
) -> None:
    tenant = house.company.tenant
    households = house.units[community.pk][: max(0, share.groups - FIXED_GROUPS)]
    made = {role: _group(tenant, community=community, role=role) for role in ("", "owner", "renter")}
    made["board"] = Group(tenant=tenant, name=f"Beirat {community.identifier}")
    of_unit = {unit.pk: _group(tenant, unit=unit) for unit in households}
    for group in (*made.values(), *of_unit.values()):
        group.sort_key = sort_key(group.name)
    loader.number(Group, [*made.values(), *of_unit.values()])
    circles += [*made.values(), *of_unit.values()]
    owners = [r for r in house.residents[community.pk] if r.role == "owner"][:BOARD]
    members += [GroupMember(tenant=tenant, group=made["board"], membership_id=r.membership_id) for r in owners]

    top = Folder(tenant=tenant, name=community.name, community=community)
    below = [Folder(tenant=tenant, name=name, parent=top, community=community) for name, _role in TOPICS]
    of_units: list[Folder] = []
    for number in range(share.folders - FIXED_FOLDERS if households else 0):
        unit, years = households[number % len(households)], number // len(households)
        parent = of_units[number % len(households)] if years else below[-1]
        name = str(YEARS[-1] + 1 - years) if years else unit.name
        of_units.append(Folder(tenant=tenant, name=name, parent=parent, community=community, unit=unit))
    loader.number(Folder, [top, *below, *of_units])
    for folder in (top, *below, *of_units):
        _derive(folder)
    for place, folder in enumerate((top, *below), len(tree.folders)):
        role = dict(TOPICS).get(folder.name, "")
        if role is None:
            continue
        tree.access.append((folder.pk, made[role].pk))
        tree.labels[folder.pk] = 0
        if not role:
            tree.open.setdefault(community.pk, []).append(place)
    tree.access += [(folder.pk, of_unit[folder.unit_id].pk) for folder in of_units if folder.unit_id]
    tree.folders += [top, *below, *of_units]


def _group(
    tenant: Organization, *, community: Community | None = None, unit: Unit | None = None, role: str = ""
) -> Group:
    name = derived_name(tenant, community=community, unit=unit, role=role)
    return Group(tenant=tenant, name=name, kind=Group.Kind.DERIVED, community=community, unit=unit, role=role)


def _derive(folder: Folder) -> None:
    """What services derive from the name and the folder above."""
    parent = folder.parent
    folder.parent = parent  # now that it has its key
    folder.ancestors = [*parent.ancestors, parent.pk] if parent else []
    folder.full_path_name = f"{parent.full_path_name}/{folder.name}" if parent else folder.name
    folder.sort_key = sort_key(folder.name)


class _Documents:
    """The documents, each known by its place in the row: everything about it follows from that."""

    def __init__(
        self, house: LargeHouse, tree: _Tree, shared: Sequence[Paper], loader: Loader, *, seed: int, count: int
    ) -> None:
        self.house, self.tree, self.shared, self.loader, self.seed = house, tree, shared, loader, seed
        self.tenant_id, self.uploader_id = house.company.tenant.pk, house.company.admin.pk
        self.documents, self.versions = loader.ids(Document, count), loader.ids(DocumentVersion, count)
        self.first, self.step = timezone.now() - SPAN, SPAN / max(1, count)

    def write(self) -> None:
        """Table by table."""
        self.loader.copy(Document, map(self.document, range(len(self.documents))))
        self.loader.copy(DocumentVersion, map(self.version, range(len(self.documents))))
        self.loader.copy(DocumentIndex, map(self.index, range(len(self.documents))))
        self.loader.copy(DocumentLog, self.log())
        self.loader.copy(ReadMark, self.marks())

    def folder(self, place: int) -> Folder:
        """Where it lies."""
        return self.tree.folders[place % len(self.tree.folders)]

    def label(self, place: int) -> int | None:
        """What it is labelled with."""
        nth = place // len(self.tree.folders)
        return self.tree.labels.get(self.folder(place).pk) if nth % 5 == 1 else None

    def paper(self, place: int) -> Paper:
        """What it says: scattered, so that a folder holds many kinds."""
        nth = place // len(self.tree.folders)
        return self.shared[(place * 31 + nth * 17 + self.seed) % len(self.shared)]

    def document(self, place: int) -> Document:
        """As published, then announced, which is its second version as a row."""
        paper, moment = self.paper(place), self.first + place * self.step
        return Document(
            pk=self.documents[place],
            tenant_id=self.tenant_id,
            folder_id=self.folder(place).pk,
            title=paper.title,
            sort_key=paper.sort_key,
            filename=paper.filename,
            label_id=self.label(place),
            current_id=self.versions[place],
            size_bytes=paper.blob.size,
            mime=paper.blob.mime,
            uploaded_by_id=self.uploader_id,
            notified_at=moment,
            changed_at=moment,
            created_at=moment,
            updated_at=moment,
            row_version=2,
        )

    def version(self, place: int) -> DocumentVersion:
        """Its first content."""
        paper = self.paper(place)
        return DocumentVersion(
            pk=self.versions[place],
            tenant_id=self.tenant_id,
            document_id=self.documents[place],
            number=1,
            filename=paper.filename,
            blob_id=paper.blob.pk,
            size_bytes=paper.blob.size,
            uploaded_by_id=self.uploader_id,
            created_at=self.first + place * self.step,
        )

    def index(self, place: int) -> DocumentIndex:
        """What it is found by, with the text that a worker has read."""
        paper = self.paper(place)
        found = paper.labelled if self.label(place) else paper.plain
        return DocumentIndex(
            document_id=self.documents[place],
            folder_id=self.folder(place).pk,
            text=paper.text,
            **found._asdict(),
        )

    def log(self) -> Iterator[DocumentLog]:
        """Uploaded, and labelled."""
        for place, pk in enumerate(self.documents):
            values = {
                "tenant_id": self.tenant_id, "document_id": pk, "user_id": self.uploader_id,
                "created_at": self.first + place * self.step,
            }  # fmt: skip
            yield DocumentLog(action=DocumentLog.Action.CREATE, **values)
            if self.label(place):
                yield DocumentLog(action=DocumentLog.Action.LABEL, label=LABEL[0], **values)

    def marks(self) -> Iterator[ReadMark]:
        """Each person has opened some of the papers that everyone of the community reaches."""
        for community, people in self.house.residents.items():
            for number, person in enumerate(people):
                yield from self._marks_of(person, number, self.tree.open[community])

    def _marks_of(self, person: Resident, number: int, open_folders: list[int]) -> Iterator[ReadMark]:
        all_folders = len(self.tree.folders)
        for nth in range(READ):
            folder = open_folders[nth % len(open_folders)]
            held = (len(self.documents) - folder - 1) // all_folders + 1  # papers in that folder
            if nth // len(open_folders) < held:
                place = folder + (number + nth // len(open_folders)) % held * all_folders
                yield ReadMark(
                    tenant_id=self.tenant_id,
                    document_id=self.documents[place],
                    membership_id=person.membership_id,
                    version_no=1,
                )
