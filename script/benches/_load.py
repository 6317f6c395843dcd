"""Asking servers as fast as they answer, in turns, and what came of it. The asking is done by wrk.

Contestants are asked one after the other, round by round, so that whatever else the machine does meets all of them;
what is told are medians of the rounds, and medians of the ratios within one round.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from script.embedded import ServerError

_SCRIPT = """
wrk.method = {method}
wrk.body = {body}
function done(summary, latency, requests)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
    + summary.errors.timeout
  io.write(string.format('{{"n": %d, "us": %d, "failed": %d, "p50": %d, "p95": %d}}',
    summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(95)))
end
"""


@dataclass(frozen=True)
class Request:
    """What is asked again and again."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def ask(self) -> bytes:
        """Once. Raises `ServerError` when the answer is none."""
        request = urllib.request.Request(self.url, data=self.body, headers=dict(self.headers))
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise ServerError(f"{self.url}: {error.code} {error.read()[:500].decode()}") from error


@dataclass(frozen=True)
class Round:
    """One round of one contestant: answers a second, milliseconds."""

    rate: float
    p50: float
    p95: float


@dataclass(frozen=True)
class Result:
    """All rounds of one contestant."""

    name: str
    rounds: Sequence[Round]

    def median(self, figure: str) -> float:
        """Of the rounds."""
        return float(statistics.median(getattr(r, figure) for r in self.rounds))

    def ratio(self, figure: str, base: Result) -> float:
        """To another contestant, round by round."""
        pairs = zip(self.rounds, base.rounds, strict=True)
        return float(statistics.median(getattr(mine, figure) / getattr(other, figure) for mine, other in pairs))


def race(
    contestants: Mapping[str, Request], *, rounds: int = 7, seconds: int = 4, connections: int = 4, warm_up: int = 3
) -> dict[str, Result]:
    """Each is warmed up, then asked in turns."""
    for request in contestants.values():
        hammer(request, warm_up, connections)
    found: dict[str, list[Round]] = {name: [] for name in contestants}
    for _round in range(rounds):
        for name, request in contestants.items():
            found[name].append(hammer(request, seconds, connections))
    return {name: Result(name, rounds_) for name, rounds_ in found.items()}


def race_calls(
    contestants: Mapping[str, Callable[[], object]], *, rounds: int = 7, seconds: float = 2
) -> dict[str, Result]:
    """The same for calls within this process, one at a time."""
    found: dict[str, list[Round]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, call in contestants.items():
            took = []
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                begin = time.perf_counter()
                call()
                took.append(1000 * (time.perf_counter() - begin))
            if number:  # the first is the warm-up
                cuts = statistics.quantiles(took, n=20)
                found[name].append(Round(len(took) / seconds, cuts[9], cuts[18]))
    return {name: Result(name, rounds_) for name, rounds_ in found.items()}


def table(results: Mapping[str, Result], *, base: str) -> str:
    """As Markdown; ratios to ``base``."""
    lines = [
        "| | requests/s | p50 ms | p95 ms | rate ÷ base | p50 ÷ base | p95 ÷ base |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, result in results.items():
        figures = [result.median("rate"), result.median("p50"), result.median("p95")]
        ratios = [result.ratio(figure, results[base]) for figure in ("rate", "p50", "p95")]
        lines.append(
            f"| {name} | {figures[0]:.0f} | {figures[1]:.1f} | {figures[2]:.1f} | "
            + " | ".join(f"{ratio:.2f}" for ratio in ratios)
            + " |"
        )
    return "\n".join(lines)


def hammer(request: Request, seconds: int, connections: int) -> Round:
    """One round. Raises `ServerError` when an answer is missing or an error."""
    program = shutil.which("wrk")
    if program is None:
        raise ServerError("No wrk found (Debian: apt-get install wrk).")
    body = "nil" if request.body is None else json.dumps(request.body.decode())
    method = '"GET"' if request.body is None else '"POST"'
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "ask.lua"
        script.write_text(_SCRIPT.format(method=method, body=body))
        headers = [part for name, value in request.headers.items() for part in ("-H", f"{name}: {value}")]
        done = subprocess.run(
            [
                program,
                "-t1",
                f"-c{connections}",
                f"-d{seconds}s",
                "--timeout",
                "30s",
                "-s",
                script,
                *headers,
                request.url,
            ],
            capture_output=True,
            text=True,
        )
    if done.returncode or "{" not in done.stdout:
        raise ServerError(f"wrk failed: {done.stdout}{done.stderr}")
    told = json.loads(done.stdout[done.stdout.index('{"n"') :])
    if told["failed"] or not told["n"]:
        raise ServerError(f"{request.url}: {told['failed']} of {told['n']} answers were none")
    return Round(told["n"] / told["us"] * 1e6, told["p50"] / 1000, told["p95"] / 1000)
