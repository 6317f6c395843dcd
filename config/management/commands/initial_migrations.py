"""`manage.py initial_migrations`: write the one clean initial set anew, until the first release.

`makemigrations` splits tables that refer to each other into hundreds of single steps, and Django renders all
models again at each: a minute of an empty database's time. Here each table is created whole, with its
constraints and indexes, in the order of its references; only what closes a circle comes afterwards.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.postgres.operations import BtreeGinExtension, BtreeGistExtension, TrigramExtension
from django.core.management.base import BaseCommand, no_translations
from django.db.migrations import AddConstraint, AddField, AddIndex, CreateModel, Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter

FLOORS = ("core", "orgs", "messaging", "docms", "tickets", "processes", "portal")
# Core and orgs refer to each other: stored bytes come first, what names people and tenants after orgs.
FIRST_OF_CORE = {"blob"}


class Command(BaseCommand):
    help = "Rewrite the initial migrations of all floors from the models (before the first release only)."

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        state = ProjectState.from_apps(apps)
        models = {key: model for key, model in state.models.items() if key[0] in FLOORS}
        core_first = {key for key in models if key[0] == "core" and key[1] in FIRST_OF_CORE}
        steps = [("core", "0001_initial", core_first)]
        steps += [("orgs", "0001_initial", {k for k in models if k[0] == "orgs"})]
        steps += [("core", "0002_initial", {k for k in models if k[0] == "core"} - core_first)]
        steps += [(app, "0001_initial", {k for k in models if k[0] == app}) for app in FLOORS[2:]]
        made: set[tuple[str, str]] = set()
        left: list[Operation] = []
        written: list[tuple[str, str]] = []
        for app, name, keys in steps:
            operations, open_ends = self.tables({k: models[k] for k in keys}, made)
            if (app, name) == ("core", "0001_initial"):
                operations = [BtreeGistExtension(), BtreeGinExtension(), TrigramExtension(), *operations]
                left = open_ends
            elif (app, name) == ("core", "0002_initial"):
                operations = [*left, *operations, *open_ends]
            else:
                operations += open_ends
            self.write(app, name, operations, self.dependencies(app, name, written))
            written.append((app, name))
            made |= keys

    @staticmethod
    def dependencies(app: str, name: str, written: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Whatever was written before; the last file of each app stands for its earlier ones."""
        last = dict(written)
        return sorted(last.items()) + ([("contenttypes", "0002_remove_content_type_name")] if app == "orgs" else [])

    def tables(
        self, models: dict[tuple[str, str], ModelState], made: set[tuple[str, str]]
    ) -> tuple[list[Operation], list[Operation]]:
        """Whole tables in order of reference, and the steps that close circles."""
        operations: list[Operation] = []
        after: list[Operation] = []
        waiting = dict(sorted(models.items()))
        done = set(made)
        while waiting:
            # Where a circle must be broken, the table that most others wait for goes first.
            wanted = Counter(t for k, m in waiting.items() for t in self.targets(m, k))
            key = min(waiting, key=lambda k: (bool(self.missing(waiting[k], done, k)), -wanted[k], k))
            model = waiting.pop(key)
            late = self.missing(model, done, key)
            # Many-to-many fields go through a table that comes later; they add no column.
            through = {n for n, f in model.fields.items() if f.many_to_many}
            fields = [(n, f) for n, f in model.fields.items() if n not in late | through]
            after += [AddField(model.name, name, model.fields[name]) for name in sorted(through)]
            options = {**model.options}
            if late:
                after += [AddField(model.name, name, model.fields[name]) for name in sorted(late)]
                after += [AddConstraint(model.name, c) for c in options.pop("constraints", [])]
                after += [AddIndex(model.name, i) for i in options.pop("indexes", [])]
            options = {k: v for k, v in options.items() if v not in ([], None)}
            operations.append(CreateModel(model.name, fields, options, model.bases, model.managers))
            done.add(key)
        return operations, after

    @staticmethod
    def targets(model: ModelState, own: tuple[str, str]) -> dict[tuple[str, str], list[str]]:
        """The tables of the house that a table refers to, and by which fields."""
        found: dict[tuple[str, str], list[str]] = {}
        for name, field in model.fields.items():
            if field.remote_field is None or field.many_to_many:
                continue
            to = field.remote_field.model
            app, _dot, model_name = str(to if isinstance(to, str) else to._meta.label).lower().rpartition(".")
            key = (app or own[0], model_name)
            if model_name != "self" and key != own and key[0] in FLOORS:
                found.setdefault(key, []).append(name)
        return found

    def missing(self, model: ModelState, done: set[tuple[str, str]], own: tuple[str, str]) -> set[str]:
        """Fields that refer to a table which does not exist yet."""
        return {name for key, names in self.targets(model, own).items() if key not in done for name in names}

    def write(self, app: str, name: str, operations: list[Operation], dependencies: list[tuple[str, str]]) -> None:
        """One file."""
        migration = type("Migration", (Migration,), {"operations": operations, "dependencies": dependencies})(name, app)
        migration.initial = True
        text = MigrationWriter(migration, include_header=False).as_string()
        path = Path(apps.get_app_config(app).path) / "migrations" / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        self.stdout.write(f"{path.name} of {app}: {len(operations)} steps")
