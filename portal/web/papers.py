"""What the document pages read: the tree, the list and its filters, one paper. Rights come from docms' querysets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, Value, When
from django.db.models.functions import ExtractYear

from core import planned
from core.querysets import equals_any
from docms import rules
from docms.models import Document, Folder, FolderMark
from docms.querysets import DocumentQuerySet, may
from docms.reach import tree_of
from docms.services.search import Marks, best_hits, marks_of, meant

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator

    from orgs.actor import Actor
    from orgs.models import Community

PAGE = 50
YEARS, LABELS = 6, 8  # filters that are offered


def membership_id(actor: Actor, tenant_id: int) -> int | None:
    """Under which membership the actor reads in this company."""
    membership = actor.membership(tenant_id)
    return membership.pk if membership else None


def in_community(actor: Actor, community: Community) -> DocumentQuerySet[Any]:
    """Papers that the portal shows in one community."""
    return Document.objects.visible_in(actor, community)


def with_rights(papers: DocumentQuerySet[Any], actor: Actor) -> DocumentQuerySet[Any]:
    """Say of each paper whether the actor may look into it and take it away."""
    return papers.annotate(
        can_read=Case(When(may(actor, "read"), then=Value(True)), default=Value(False)),
        can_download=Case(When(may(actor, "download"), allow_download=True, then=Value(True)), default=Value(False)),
    )


def one_paper(papers: DocumentQuerySet[Any], actor: Actor, tenant_id: int, document_id: int) -> Document | None:
    """One of these papers with everything the preview tells about it."""
    found = with_rights(papers.with_read_state(membership_id(actor, tenant_id)).filter(pk=document_id), actor)
    return found.select_related("folder", "label", "current__blob", "uploaded_by").first()


def unread_count(actor: Actor, community: Community) -> int:
    """How many of them the actor has not opened."""
    return planned.count(in_community(actor, community).unread_by(membership_id(actor, community.tenant_id)))


class NewPaper(NamedTuple):
    """What the start page says of an unread paper."""

    pk: int
    title: str
    mime: str
    size_bytes: int
    since: datetime.datetime
    folder_id: int
    folder: str


# The rights come in as the queryset's own text.
_NEWEST = """
WITH unread AS MATERIALIZED ({unread}),
     newest AS (SELECT id, created_at FROM unread ORDER BY created_at DESC, id DESC LIMIT %s)
SELECT d.id, coalesce(nullif(d.title, ''), d.filename), d.mime, d.size_bytes, coalesce(d.active_from, d.created_at), f.id, f.name,
       (SELECT count(*) FROM unread)
  FROM newest n JOIN docms_document d ON d.id = n.id JOIN docms_folder f ON f.id = d.folder_id
 ORDER BY n.created_at DESC, n.id DESC
"""


def newest_unread(actor: Actor, community: Community, limit: int) -> tuple[list[NewPaper], int]:
    """The newest papers the actor has not opened, and how many there are: one statement finds both."""
    unread = in_community(actor, community).unread_by(membership_id(actor, community.tenant_id))
    inner = planned.sql_of(unread.order_by().values("id", "created_at"))
    if inner is None:
        return [], 0
    with planned.planned_cursor() as cursor:
        cursor.execute(_NEWEST.replace("{unread}", inner[0]), (*inner[1], limit))
        rows = cursor.fetchall()
    return [NewPaper(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


@dataclass(frozen=True)
class Filters:
    """What the address of the page asks for."""

    folder: int | None = None
    only: str = ""  # unread, favourites
    year: int | None = None
    label: str = ""
    words: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything but the folder is chosen."""
        return bool(self.only or self.year or self.label or self.words)


@dataclass
class Node:
    """One folder of the drawn tree."""

    folder: Folder
    unread: int = 0
    favourite: bool = False
    current: bool = False
    open: bool = False
    children: list[Node] = field(default_factory=list)


class Cabinet:
    """The papers of one community as one person sees them: one query for each thing that is asked for."""

    def __init__(self, actor: Actor, community: Community, filters: Filters) -> None:
        self.actor, self.community, self.filters = actor, community, filters
        self.membership_id = membership_id(actor, community.tenant_id)

    @cached_property
    def _tree(self) -> list[tuple[Folder, rules.Flags]]:
        drawn = tree_of(self.actor, self.community)
        return [(f, rules.in_force(self.actor, f.tenant_id, own, checks)) for f, own, checks in drawn]

    @cached_property
    def folders(self) -> dict[int, Folder]:
        """Every folder of the tree by id; of those that are not reached only the name is shown."""
        return {folder.pk: folder for folder, _flags in self._tree}

    @cached_property
    def flags(self) -> dict[int, rules.Flags]:
        """What the actor may do in each of them."""
        return {folder.pk: flags for folder, flags in self._tree}

    @cached_property
    def reached(self) -> list[int]:
        """Folders whose papers may be listed."""
        return [f.pk for f in self.folders.values() if f.is_reached]  # type: ignore[attr-defined]

    @cached_property
    def folder(self) -> Folder | None:
        """The chosen folder, when it is in the tree."""
        return self.folders.get(self.filters.folder) if self.filters.folder else None

    @cached_property
    def branch(self) -> list[int]:
        """The chosen folder and those below it."""
        chosen = self.filters.folder
        return [f.pk for f in self.folders.values() if chosen in (f.pk, *f.ancestors)]

    @property
    def papers(self) -> DocumentQuerySet[Any]:
        """All papers of the community."""
        return Document.objects.visible_to(self.actor).filter(equals_any("folder", self.reached))

    @cached_property
    def unread(self) -> dict[int, int]:
        """Unread papers by folder."""
        counts = self.papers.unread_by(self.membership_id).order_by().values_list("folder").annotate(n=Count("id"))
        return dict(counts)

    @cached_property
    def favourites(self) -> set[int]:
        """Folders with a star."""
        marks = FolderMark.objects.visible_to(self.actor).filter(membership=self.membership_id, is_favourite=True)
        return set(marks.values_list("folder_id", flat=True))

    @cached_property
    def searched(self) -> dict[int, bool]:
        """The folders that a search looks into: the chosen one with all below it, or all. With each whether there is ``read``."""
        among = self.reached if self.folder is None else set(self.branch).intersection(self.reached)
        return {pk: self.flags[pk].read for pk in among}

    @cached_property
    def scoped(self) -> DocumentQuerySet[Any]:
        """Papers of the chosen folder, or of all, before the filters."""
        if self.filters.words:
            return Document.objects.found_in(self.searched, self.actor, self.filters.words)
        return self.papers if self.folder is None else self.papers.filter(folder=self.folder.pk)

    @cached_property
    def narrowed(self) -> DocumentQuerySet[Any]:
        """What the filters leave of it."""
        return self.filtered(self.scoped)

    def filtered(self, papers: DocumentQuerySet[Any]) -> DocumentQuerySet[Any]:
        """Of these papers those that the filters leave, whatever they say."""
        f = self.filters
        if f.only == "unread":
            papers = papers.unread_by(self.membership_id)
        elif f.only == "favourites":
            papers = papers.filter(folder__in=self.favourites)
        if f.year:
            papers = papers.filter(created_at__year=f.year)
        if f.label:
            papers = papers.filter(label__name=f.label)
        return papers

    @cached_property
    def listed(self) -> DocumentQuerySet[Any]:
        """What the list shows where nothing is searched, in its order."""
        papers: DocumentQuerySet[Any] = self.narrowed.with_read_state(self.membership_id)
        papers = with_rights(papers, self.actor).select_related("folder", "label", "current__blob")
        return papers.order_by("-created_at", "-id")

    def marks(self, papers: Iterable[Any]) -> Marks:
        """How to mark the hits among the papers of one page; nothing to mark where nothing is searched."""
        if not self.filters.words:
            return Marks()
        shown = list(papers)
        readable = [paper.pk for paper in shown if paper.can_read or paper.can_download]
        return marks_of(shown, self.filters.words, readable=readable)

    def meant(self) -> list[Document]:
        """What a search without a hit may have meant."""
        return meant(self.reached, self.actor, self.filters.words) if self.filters.words else []

    @cached_property
    def pages(self) -> Paginator[Document]:
        """The list in pages of fifty, counted without what the rows say besides."""
        if self.filters.words:
            return _Hits(self)
        pages = Paginator(self.listed, PAGE)
        pages.count = planned.count(self.narrowed)
        return pages

    @cached_property
    def years(self) -> list[int]:
        """Years in which papers of this scope came, newest first."""
        years = self.scoped.order_by().annotate(y=ExtractYear("created_at")).values_list("y", flat=True).distinct()
        return sorted(years, reverse=True)[:YEARS]

    @cached_property
    def labels(self) -> list[str]:
        """Labels that papers of this scope carry."""
        names = self.scoped.order_by().exclude(label=None).values_list("label__name", flat=True).distinct()
        return sorted(names)[:LABELS]

    @cached_property
    def tree(self) -> list[Node]:
        """The folders as people see them: roots, and the branch in which one is."""
        path = {self.folder.pk, *self.folder.ancestors} if self.folder else set()
        nodes = {
            pk: Node(f, self.unread.get(pk, 0), pk in self.favourites, f is self.folder, pk in path)
            for pk, f in self.folders.items()
        }
        roots: list[Node] = []
        for pk, node in nodes.items():
            parent = nodes.get(node.folder.parent_id or 0)
            (parent.children if parent else roots).append(node)
            for above in node.folder.ancestors:  # a closed folder counts what lies below it
                if above in nodes:
                    nodes[above].unread += self.unread.get(pk, 0)
        if len(roots) == 1:
            roots[0].open = True
        return roots

    @property
    def unread_total(self) -> int:
        """Unread papers of the community."""
        return sum(self.unread.values())

    @cached_property
    def path(self) -> list[Folder]:
        """The folders above the chosen one, for the trail."""
        return [self.folders[pk] for pk in self.folder.ancestors if pk in self.folders] if self.folder else []

    def paper(self, document_id: int) -> Document | None:
        """One paper of this community."""
        return one_paper(self.papers, self.actor, self.community.tenant_id, document_id)


class _Hits(Paginator):  # type: ignore[type-arg]
    """Pages of a search: the order is found with ids alone, then the rows of one page are fetched.

    In one statement what the rows say besides is worked out for every hit, to be sorted with it.
    """

    def __init__(self, cabinet: Cabinet) -> None:
        super().__init__(cabinet.narrowed, PAGE)
        self.cabinet = cabinet

    @cached_property
    def count(self) -> int:
        """Told by the statement that finds the first page, which nearly everybody wants to see."""
        return self._first[1]

    @cached_property
    def _first(self) -> tuple[list[int], int]:
        return self._best(0)

    def _best(self, start: int) -> tuple[list[int], int]:
        """The ids of the page that starts there, and the number of all hits; none and 0 beyond the last."""
        cabinet = self.cabinet
        filters = cabinet.filters
        choice = (
            cabinet.filtered(Document.objects.order_by()) if filters.only or filters.year or filters.label else None
        )
        return best_hits(cabinet.searched, cabinet.actor, filters.words, choice=choice, start=start, limit=PAGE)

    def page(self, number: int | str) -> Page[Document]:
        """One page; its papers are those that the search found for this person."""
        found = super().page(number)
        start = max(0, found.start_index() - 1)
        ids = self._best(start)[0] if start else self._first[0]
        rows = {paper.pk: paper for paper in self._rows(ids)} if ids else {}
        found.object_list = [rows[pk] for pk in ids if pk in rows]
        return found

    def _rows(self, ids: list[int]) -> Iterator[Document]:
        """What the list shows of these papers; as `Cabinet.listed`."""
        cabinet = self.cabinet
        for paper, version, blob, label, is_read in _ROWS.fetch({"ids": ids, "membership": cabinet.membership_id}):
            mine = cabinet.flags[paper.folder_id]
            paper.folder, paper.label, paper.current = cabinet.folders[paper.folder_id], label, version
            version.blob = blob
            paper.read_by_user, paper.can_read = is_read, mine.read
            paper.can_download = mine.download and paper.allow_download
            yield paper


# Of thirty columns and more of a paper only what a row shows, and what is searched for hits.
_ROWS = planned.ModelRows(
    """
SELECT {d}, {v}, {b}, {l}, EXISTS (SELECT 1 FROM docms_readmark r
                                    WHERE r.document_id = d.id AND r.membership_id = %(membership)s AND r.version_no >= v.number)
  FROM docms_document d JOIN docms_documentversion v ON v.id = d.current_id JOIN core_blob b ON b.id = v.blob_id
  LEFT JOIN docms_folderlabel l ON l.id = d.label_id
 WHERE d.id = ANY(%(ids)s)
""",
    only={
        "d": (
            *(
                "id",
                "tenant_id",
                "folder_id",
                "title",
                "description",
                "filename",
                "identifier",
                "label_id",
                "current_id",
            ),
            *("mime", "size_bytes", "allow_download", "active_from", "created_at", "done"),
        ),
        "v": ("id", "blob_id", "number"),
        "b": ("id", "scan"),
        "l": ("id", "name"),
    },
    d="docms.Document",
    v="docms.DocumentVersion",
    b="core.Blob",
    l="docms.FolderLabel",
)
