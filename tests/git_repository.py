"""A real git repository to be read, and the files that are committed to it."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ADA = ("Ada Lovelace", "ada@example.org")
BOB = ("Bob", "bob@example.org")


@dataclass
class GitRepository:
    """A repository in a directory; every commit is a day after the one before, at noon UTC, from 2026-03-01 on."""

    path: Path
    object_format: str = "sha1"
    day: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Make the repository."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", f"--object-format={self.object_format}")

    def git(self, *arguments: str | bytes, given: bytes = b"", **environment: str) -> str:
        """Run git with nobody's settings."""
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        name, email = ADA
        identity = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", name), ("EMAIL", email), ("DATE", f"2026-03-{self.day + 1:02}T12:00:00+0000"))
        }
        result = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=given,
            env=os.environ | quiet | identity | environment,
            capture_output=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout.decode(errors="replace").removesuffix("\n")

    def write(self, path: str, content: object) -> Path:
        """Write a file; what is neither text nor bytes is written as JSON, a line for each field."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            text = content if isinstance(content, str) else json.dumps(content, indent=2) + "\n"
            target.write_text(text, encoding="utf-8")
        return target

    def commit(self, message: str | bytes, files: dict[str, object] | None = None, **environment: str) -> str:
        """Commit everything that is in the working tree, after writing some files; return the commit's id."""
        for path, content in (files or {}).items():
            self.write(path, content)
        self.git("add", "--all")
        text = message if isinstance(message, bytes) else message.encode()
        self.git("commit", "--quiet", "--allow-empty-message", "--file=-", given=text, **environment)
        self.day += 1
        return self.head

    def change_commit(self, *replacements: tuple[bytes, bytes]) -> None:
        """Replace bytes of the last commit object, each once: git would not write such a commit by itself."""
        text = subprocess.run(["git", "cat-file", "commit", "HEAD"], cwd=self.path, capture_output=True).stdout
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new, 1)
        commit = self.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=text)
        self.git("reset", "--quiet", "--hard", commit)

    def merge(self, branch: str, files: dict[str, object] | None = None, strategy: Sequence[str] = ()) -> str:
        """Merge a branch, with the files as they are to be; return the commit's id."""
        self.git("merge", "--quiet", "--no-ff", "--no-commit", *(strategy or ("--strategy=ours",)), branch)
        return self.commit(f"merge {branch}", files)

    @property
    def head(self) -> str:
        """Id of the commit that is checked out."""
        return self.git("rev-parse", "HEAD")

    def import_many(self, path: str, contents: Sequence[object]) -> None:
        """Commit many contents of one file by one process."""
        stream = b""
        for number, content in enumerate(contents):
            data = json.dumps(content).encode()
            stream += b"commit refs/heads/main\ncommitter Ada <ada@example.org> %d +0000\n" % (1_770_000_000 + number)
            stream += b"data 6\nchange\nM 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data)
        self.git("fast-import", "--quiet", given=stream)
        self.git("reset", "--quiet", "--hard", "main")


def native(num_replicas: int = 18, label: str = "Llama-3.1-70B", **fields: Any) -> dict[str, Any]:
    """Make a document of the catalog's own shape; it is also what OpenG2G 0.0.1's classes hold."""
    return {"models": [_model(num_replicas, label)], **fields}


def config_0_1(num_replicas: int = 18) -> dict[str, Any]:
    """Make a configuration of OpenG2G 0.1."""
    model = _model(num_replicas) | {"model_id": "meta-llama/Llama-3.1-70B-Instruct"}
    return {"models": [model], "data_dir": None, "ieee_case_dir": "examples/ieee13"}


def config_0_2(num_replicas: int = 18) -> dict[str, Any]:
    """Make a configuration of OpenG2G 0.2."""
    spec = _model(num_replicas) | {
        "model_id": "meta-llama/Llama-3.1-70B-Instruct",
        "gpu_model": "H100",
        "task": "lm-arena-chat",
        "batch_sizes": [64, 128],
    }
    initial_batch_size = spec.pop("initial_batch_size")
    deployment = {"simulated_num_replicas": spec.pop("num_replicas"), "initial_batch_size": initial_batch_size}
    return {"deployments": [{"spec": spec, **deployment}], "requests_dir": None}


def _model(num_replicas: int, label: str = "Llama-3.1-70B") -> dict[str, Any]:
    return {
        "model_label": label,
        "num_replicas": num_replicas,
        "gpus_per_replica": 4,
        "initial_batch_size": 128,
        "itl_deadline_s": 0.1,
        "feasible_batch_sizes": [64, 128],
    }
