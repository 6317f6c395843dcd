"""Sends generated requests, holds every answer against the served document, and counts."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz.cases import Request, edges, requests
from tests.fuzz.world import World

# Not among them: `positive_data_acceptance`, because a well-formed request may still name what does not exist (400 in
# a body, DOCMS-047), take a name twice (409) or come from somebody without the right; and the checks of sign-in
# (`ignored_auth` and others), which ask the same again with a header taken away: here `nobody` calls.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# The REST framework reads 5 as the text "5", "5" as a number and "true" as a truth. What it cannot read so is refused:
# `tests/fuzz/test_bad_bodies.py` holds lists, objects and null against every field.
_READ_ANYWAY = re.compile(r"violates `type`|Incorrect type")
# Spaces around a text are cut off before it is measured, and belong to no name.
_TOO_LONG = "violates `maxLength`"
Send = Callable[[Request], Any]


@dataclass
class Tally:
    """What became of the requests of one operation."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)  # of each failure the shortest request

    @property
    def succeeded(self) -> int:
        """How many were answered with 2xx."""
        return sum(count for status, count in self.statuses.items() if status < 300)


def fuzz(chosen: list[Any], world: World, send: Send, *, total: int, seed: int) -> dict[str, Tally]:
    """At least ``total`` requests, evenly over the chosen operations; the same ones for the same ``seed``."""
    tallies: dict[str, Tally] = {}
    left = total
    for number, operation in enumerate(chosen):
        share = -(-left // (len(chosen) - number))
        tallies[operation.label] = tally = Tally()
        _explore(operation, world, send, tally, count=max(share, 3), seed=seed + number)
        left -= tally.requests
    return tallies


def _explore(operation: Any, world: World, send: Send, tally: Tally, *, count: int, seed: int) -> None:
    """A third of the requests at the edges of the schema, the others anywhere."""

    def take(request: Request) -> None:
        _judge(request, send(request), tally)

    for request in edges(operation, world, random.Random(seed), count // 3):
        take(request)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count - tally.requests, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @hypothesis.given(requests(operation, world))
    def each(request: Request) -> None:
        take(request)

    each()


def _judge(request: Request, response: Any, tally: Tally) -> None:
    tally.requests += 1
    tally.statuses[response.status_code] += 1
    try:
        request.case.validate_response(response, checks=CHECKS, headers=request.headers)
    except BaseExceptionGroup as group:
        for failure in group.exceptions:
            title = f"{type(failure).__name__}: {getattr(failure, 'message', failure)}"[:400]
            is_taken = type(failure).__name__ == "AcceptedNegativeData"
            if is_taken and (_READ_ANYWAY.search(title) or response.status_code == 413):
                continue  # too long for the door is refused as well
            if is_taken and _TOO_LONG in title and _has_spaces_around(request.case.body):
                continue
            tally.failures[title] += 1
            curl = request.case.as_curl_command(headers=request.headers)
            sample = f"{request.role}: {curl}\n{response.content[:400]!r}"
            if title not in tally.samples or len(sample) < len(tally.samples[title]):
                tally.samples[title] = sample


def _has_spaces_around(body: object) -> bool:
    """Whether a text of the body begins or ends with white space."""
    values = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return (isinstance(body, str) and body != body.strip()) or any(map(_has_spaces_around, values))


def report(tallies: dict[str, Tally]) -> str:
    """What failed, for people; empty when nothing did."""
    lines = []
    for label, tally in tallies.items():
        for title, count in tally.failures.items():
            lines += [f"{label}: {count} × {title}", f"    {tally.samples[title]}"]
    return "\n".join(lines)
