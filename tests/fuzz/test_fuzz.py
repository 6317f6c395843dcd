"""Generated requests over everything that is served: no error of ours, no answer outside the served document.

`script/fuzz` sends ten times as many to a server process. Here the requests are the same each time.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction

from config.openapi import DOORS, document
from tests.everywhere import serving
from tests.fuzz import cases
from tests.fuzz.harness import fuzz, report
from tests.house.test_contracts import contract, operations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.fuzz.cases import Request
    from tests.fuzz.world import World

TOTAL, PARTS, SEED = 2000, 4, 20261125
HOST = "http://testserver"


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The whole product as a WSGI server calls it, on the connection of the test."""
    # As in Django's test client: the connection is the test's, and not to be closed between requests.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        with serving():
            response = WSGIHandler()(environ, start_response)
            body = b"".join(response)
            response.close()
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
    return [body]


def send(request: Request) -> Any:
    """In a savepoint, so that the world stays whole; what waits for the commit is asked before it is undone."""
    with transaction.atomic():
        response = request.case.call(app=application, headers=request.headers, base_url=HOST + request.prefix)
        if request.case.method not in ("GET", "HEAD"):
            connection.check_constraints()
        transaction.set_rollback(True)
    return response


@pytest.mark.parametrize("part", range(PARTS))
def test_generated_requests_are_answered_as_documented(world: World, part: int) -> None:
    tallies = fuzz(cases.operations()[part::PARTS], world, send, total=TOTAL // PARTS, seed=SEED)
    assert not report(tallies), "\n" + report(tallies)
    statuses = sum((tally.statuses for tally in tallies.values()), Counter[int]())
    assert statuses.total() >= TOTAL // PARTS
    # The work is reached, not only its doors. How often depends on the numbers of the world that is drawn from (a
    # quarter, give or take); a generator that cannot fill a body in reaches it with the lists alone, a tenth.
    assert sum(tally.succeeded for tally in tallies.values()) > 0.15 * statuses.total(), statuses
    assert statuses[404] and statuses[401] and statuses[400], statuses


@pytest.mark.parametrize("name", sorted(DOORS))
def test_the_document_names_no_status_that_the_contract_does_not(name: str) -> None:
    """So that a status which satisfies the document satisfies the contract, too."""
    promised = dict(operations(contract(name)))
    for key, (operation, _parameters) in operations(document(name)):
        wanted = set(map(str, promised[key][0]["responses"]))
        assert "default" in wanted or set(map(str, operation["responses"])) <= wanted, key
