"""Clients that upload, publish and import at the same time, and write down what they were promised."""

from __future__ import annotations

import base64
import hashlib
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from script.fault_runs.house import House
from script.fault_runs.people import Facts
from script.fault_runs.wire import Answer, Answers, Api, Browser, NoAnswer

PIECES = 3  # of a resumable upload
TRIES = 60  # of one step, before a client gives up
_HEADER = (
    "community_ref;community;street;house_number;postal_code;city;unit_ref;unit;contact_ref;last_name;first_name;"
    "email;role;from;until;language\n"
)


@dataclass
class Act:
    """One thing that a client did, and what it was told."""

    kind: str
    name: str  # of the file; no other has it
    word: str  # that only this file holds
    sha256: str
    acks: int = 0  # answers that said: done
    unknown: int = 0  # requests that may have been done: no answer, or an error after which nobody knows
    refused: list[int] = field(default_factory=list)
    document: int | None = None  # where the answer named it
    rows: int = 0  # of a register


@dataclass
class Journal:
    """What all clients did since the house was built."""

    acts: list[Act] = field(default_factory=list)
    answers: Answers = field(default_factory=Answers)
    steps: dict[str, str] = field(default_factory=dict)  # what each client is doing right now


class Load:
    """Started and stopped around a fault. Each client is a thread that never lets an error out."""

    def __init__(self, house: House, facts: Facts, journal: Journal, seed: int) -> None:
        self.house, self.facts, self.journal = house, facts, journal
        self._random = random.Random(seed)  # noqa: S311 - chance that can be repeated
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.crashes: list[str] = []
        self.big = 300_000  # bytes of a usual file, at most

    def start(self, *kinds: str) -> None:
        """Clients of these kinds, else of all."""
        self._stopping.clear()
        clients: dict[str, Callable[[random.Random], Callable[[], None]]] = {
            "base64": self._base64,
            "base64 too": self._base64,
            "multipart": self._multipart,
            "tus": self._tus,
            "import": self._import,
        }
        for name, client in clients.items():
            if kinds and name not in kinds:
                continue
            rng = random.Random(self._random.random())  # noqa: S311
            thread = threading.Thread(target=self._run, args=(name, client(rng), rng), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Let each client end what it is doing: it insists until the house answers again."""
        self._stopping.set()
        for thread in self._threads:
            while thread.is_alive():
                thread.join(0.1)
                self.house.watch()
        self._threads.clear()

    def _run(self, name: str, act: Callable[[], None], rng: random.Random) -> None:
        while not self._stopping.is_set():
            try:
                act()
            except NoAnswer:
                time.sleep(0.2)
            except Exception as error:  # a client that dies would look like a house that is quiet
                self.crashes.append(f"{name}: {type(error).__name__}: {error}")
                time.sleep(0.5)
            self.journal.steps.pop(name, None)
            self._stopping.wait(rng.uniform(0.1, 0.6))

    def _step(self, name: str, step: str) -> None:
        self.journal.steps[name] = step

    # --- Clients ----------------------------------------------------------------------------------------

    def _base64(self, rng: random.Random) -> Callable[[], None]:
        api = Api(self.house.port, self.journal.answers, self.facts.tenant)
        return lambda: self._api_upload("base64", api, api.upload, rng, rng.randint(1_000, self.big))

    def _multipart(self, rng: random.Random) -> Callable[[], None]:
        api = Api(self.house.port, self.journal.answers, self.facts.tenant)
        # Above 2.5 MB the body goes through a temporary file of the web server.
        return lambda: self._api_upload(
            "multipart", api, api.upload_parts, rng, rng.choice((rng.randint(1_000, self.big), self.big * 10))
        )

    def _api_upload(
        self, kind: str, api: Api, send: Callable[[int, str, bytes], Answer], rng: random.Random, size: int
    ) -> None:
        act, content = self._file(kind, rng, size)
        folder = rng.choice(self.facts.folders)
        self._step(f"{kind} {id(api)}", "upload")
        try:
            for _try in range(2):  # a client tries once more, with the same name
                if self._sent(act, lambda: send(folder, act.name, content)):
                    break
        finally:
            self.journal.steps.pop(f"{kind} {id(api)}", None)

    def _sent(self, act: Act, send: Callable[[], Answer]) -> bool:
        """Whether the client knows what came of it."""
        try:
            answer = send()
        except NoAnswer as error:
            if "sign-in" in str(error) or "choice" in str(error):
                raise  # nothing was sent
            act.unknown += 1
            return False
        if answer.status == 200:
            act.acks += 1
            act.document = answer.json["file_id"]
        elif answer.status == 507:
            act.refused.append(507)  # says that nothing was stored
        elif answer.status >= 500:
            act.unknown += 1
            return False
        else:
            act.refused.append(answer.status)
        return answer.status != 401

    def _tus(self, rng: random.Random) -> Callable[[], None]:
        browser = Browser(self.house.port, self.journal.answers)
        return lambda: self._resumable(browser, rng)

    def _resumable(self, browser: Browser, rng: random.Random) -> None:
        """Announce, send in pieces, go on where the line broke, publish."""
        if not browser.cookies.get("user_session"):
            browser.sign_in()
        act, content = self._file("tus", rng, rng.randint(30_000, self.big * 2))
        metadata = {"filename": act.name, "tenant": str(self.facts.tenant)}
        encoded = ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in metadata.items())
        self._step("tus", "upload")
        created = browser.visit(
            "POST", "/admin/uploads/", b"",
            {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": encoded},
        )  # fmt: skip
        if created.status != 201:
            self._not_signed_in(browser, created)
            act.refused.append(created.status)
            return
        where = created.headers["location"]
        if not self._pieces(browser, where, content):
            return
        self._step("tus", "publish")
        fields = {
            "folder": str(rng.choice(self.facts.folders)), "upload": where.rsplit("/", 1)[1], "title": "",
            "allow_download": "on",
        }  # fmt: skip
        self._insist(act, browser, lambda: browser.form("/admin/docms/document/upload/", fields))

    def _pieces(self, browser: Browser, where: str, content: bytes) -> bool:
        offset, size = 0, len(content) // PIECES + 1
        for _try in range(TRIES):
            headers = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
            try:
                if offset < len(content):
                    piece = content[offset : offset + size]
                    answer = browser.visit("PATCH", where, piece, {**headers, "Upload-Offset": str(offset)})
                    if answer.status == 204:
                        offset = int(answer.headers["upload-offset"])
                        continue
                    self._not_signed_in(browser, answer)
                    if answer.status == 507:
                        return False
            except NoAnswer:
                pass
            try:
                state = browser.visit("HEAD", where, None, {"Tus-Resumable": "1.0.0"})
                if state.status in (404, 410):
                    return False
                if state.status == 200:
                    offset = int(state.headers["upload-offset"])
                    if offset == len(content):
                        return True
            except NoAnswer:
                pass
            if offset == len(content):
                return True
            time.sleep(0.2)
        return False

    def _insist(self, act: Act, browser: Browser, send: Callable[[], Answer]) -> None:
        """Publish a handle until the house says what became of it; it can be used up only once."""
        for _try in range(TRIES):
            try:
                answer = send()
            except NoAnswer:
                act.unknown = 1
                time.sleep(0.3)
                continue
            if answer.status == 302 and "/login" not in answer.headers["location"]:
                act.acks, act.unknown = 1, 0
                return
            if answer.status in (200, 422) and act.unknown:
                act.acks, act.unknown = 1, 0  # used up: by the try that nobody answered
                return
            if answer.status < 500:
                self._not_signed_in(browser, answer)
                act.refused.append(answer.status)
                return
            act.unknown = 1
            time.sleep(0.3)

    def _import(self, rng: random.Random) -> Callable[[], None]:
        browser = Browser(self.house.port, self.journal.answers)
        return lambda: self._register(browser, rng)

    def _register(self, browser: Browser, rng: random.Random) -> None:
        """A register through the back office; a worker imports it."""
        if not browser.cookies.get("user_session"):
            browser.sign_in()
        act, content = self.register(rng)
        self._step("import", "import")
        try:
            answer = browser.form("/admin/orgs/importrun/add/", {}, (act.name, content))
        except NoAnswer:
            act.unknown += 1
            return
        if answer.status == 302 and re.search(r"/importrun/\d+/", answer.headers["location"]):
            act.acks += 1
            self._stopping.wait(rng.uniform(0.5, 2.0))
        elif answer.status >= 500 and answer.status != 507:
            act.unknown += 1
        else:
            self._not_signed_in(browser, answer)
            act.refused.append(answer.status)

    @staticmethod
    def _not_signed_in(browser: Browser, answer: Answer) -> None:
        if answer.status in (401, 403) or "/login" in answer.headers.get("location", ""):
            browser.cookies.clear()

    # --- Files ------------------------------------------------------------------------------------------

    def _file(self, kind: str, rng: random.Random, size: int) -> tuple[Act, bytes]:
        """A file that nobody else sends: text, or now and then a PDF."""
        word = f"wort{rng.getrandbits(64):016x}"
        noise = base64.b64encode(rng.randbytes(size * 3 // 4)).decode()
        if rng.random() < 0.3:
            name, content = f"{word}.pdf", _pdf(word, noise)
        else:
            name, content = f"{word}.txt", f"{word}\n{noise}".encode()
        act = Act(kind, name, word, hashlib.sha256(content).hexdigest())
        self.journal.acts.append(act)
        return act, content

    def register(self, rng: random.Random, rows: int = 0) -> tuple[Act, bytes]:
        """A register of one house that nobody else brings."""
        word = f"H{rng.getrandbits(40):010x}"
        count = rows or rng.randint(20, 80)
        lines = "".join(
            f"{word};Haus {word};Weg;9;50733;Köln;{n:03};Wohnung {n:03};{word}-{n};Nowak;Paula;;renter;01.05.2020;;de\n"
            for n in range(count)
        )
        content = (_HEADER + lines).encode()
        act = Act("import", f"{word}.csv", word, hashlib.sha256(content).hexdigest(), rows=count)
        self.journal.acts.append(act)
        return act, content


def _pdf(word: str, noise: str) -> bytes:
    """One page that says the word, and a comment that makes it as big as wanted."""
    stream = f"BT /F1 18 Tf 20 100 Td ({word}) Tj ET"
    parts = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, places = "%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += f"{number} 0 obj{part}endobj\n"
    body += f"%{noise}\n"
    start = len(body)
    body += f"xref\n0 {len(parts) + 1}\n0000000000 65535 f \n"
    body += "".join(f"{place:010} 00000 n \n" for place in places)
    body += f"trailer<</Root 1 0 R/Size {len(parts) + 1}>>\nstartxref\n{start}\n%%EOF\n"
    return body.encode()


def written(folder: Path, content: bytes, name: str) -> Path:
    """A file for a command."""
    path = folder / name
    path.write_bytes(content)
    return path
