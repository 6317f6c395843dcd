"""Reads a Dockerfile: enough of its grammar for ours, and an error for the rest."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

_KNOWN = {"FROM", "RUN", "CMD", "COPY", "ENV", "WORKDIR", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "LABEL", "ARG"}


@dataclass(frozen=True)
class Instruction:
    """One instruction, continued lines joined, comments gone."""

    name: str
    value: str

    @property
    def words(self) -> list[str]:
        """Arguments, without flags such as ``--from=build``."""
        return [word for word in shlex.split(self.value) if not word.startswith("--")]

    @property
    def flags(self) -> dict[str, str]:
        """``--from=build`` and the like, which stand before the arguments."""
        found = {}
        for word in self.value.split():
            if not word.startswith("--"):
                break
            name, _equals, value = word.removeprefix("--").partition("=")
            found[name] = value
        return found

    @property
    def listed(self) -> list[str]:
        """The exec form: a JSON list, behind flags and, for a health check, the word CMD."""
        return [str(word) for word in json.loads(self.value[self.value.index("[") :])]


@dataclass
class Stage:
    """What stands below one FROM."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        """The instructions of a kind, in order."""
        return [found for found in self.instructions if found.name == name]

    def last(self, name: str) -> Instruction:
        """The one that counts."""
        return self.all(name)[-1]

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets, taken together."""
        return {
            name: value
            for found in self.all("ENV")
            for name, _equals, value in (word.partition("=") for word in shlex.split(found.value))
        }


def stages(path: Path) -> list[Stage]:
    """The stages of a file. Raises `ValueError` for an instruction that this reader does not know."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: list[Stage] = []
    for line in re.sub(r"\\\n", "", text).splitlines():
        if not line.strip():
            continue
        name, _space, value = line.strip().partition(" ")
        if name not in _KNOWN:
            raise ValueError(f"{name} is no instruction that we know")
        if name == "FROM":
            base, *rest = value.split()
            found.append(Stage(base, rest[1] if rest else ""))
        else:
            found[-1].instructions.append(Instruction(name, value.strip()))
    return found
