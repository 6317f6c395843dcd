"""Cases of the cast, through the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from processes.models import Process, ProcessStage, ProcessType
    from tests.cast import Cast


@pytest.fixture
def clerks(cast: Cast) -> Cast:
    """The cast; its administrator and its staff may open, change and delete cases."""
    from core import scope
    from core.services import rows
    from tests.cast import CASE_FLAGS

    with scope.unit_of_work(door="test"):
        for who in ("admin", "staff"):
            rows.change(cast.membership(who), dict.fromkeys(CASE_FLAGS, True))
    return cast


@pytest.fixture
def kind(clerks: Cast) -> ProcessType:
    """A kind of case of Brandt & Keller with two stages, "Antrag" and "Beschluss"."""
    from core import scope
    from processes.services import kinds

    with scope.unit_of_work(door="test"):
        made = kinds.create_type(
            actor=clerks.actor("admin"),
            tenant_id=clerks.tenant.pk,
            values={"names": {"de": "Umbau", "en": "Alteration"}},
        )
        for position, name in enumerate(("Antrag", "Beschluss")):
            values = {"names": {"de": name}, "position": position}
            kinds.create_stage(actor=clerks.actor("admin"), process_type=made, values=values)
    return made


@pytest.fixture
def stages(kind: ProcessType) -> list[ProcessStage]:
    """Of that kind."""
    from processes.services import kinds

    return kinds.stages_of(kind)


@pytest.fixture
def opened(clerks: Cast, kind: ProcessType) -> Callable[..., Process]:
    """Open a case about the renter's flat: `opened("staff", report="…")`."""
    from core import scope
    from processes.services import cases

    def case(who: str = "staff", **values: Any) -> Process:
        values = {
            "unit": clerks.unit_a2, "contact": clerks.contact("renter"), "process_type": kind, "report": "<p>Umbau.</p>",
        } | values  # fmt: skip
        with scope.unit_of_work(door="test"):
            return cases.open_case(actor=clerks.actor(who), **values)

    return case
