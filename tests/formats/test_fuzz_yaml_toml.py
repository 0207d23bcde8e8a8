"""Whatever a YAML or TOML file holds, reading it ends soon, in documents or in errors that say what is wrong.

`OPENG2G_FUZZ_INPUTS=20000` tries so many files of each format instead of a few hundred. Each is made of its number
alone, which a failure shows.
"""

import json
import os
import random
import time
from typing import Any

import pytest
import tomli_w
import yaml

from openg2g.formats.document import Document
from openg2g.formats.yaml.decoder import YamlDocument, decode_yaml
from openg2g.formats.yaml.encoder import encode_yaml
from openg2g.models.errors import InvalidDocumentError
from tests.builders import published_fleet
from tests.formats.configs import EXAMPLES, deployment_0_2, entry_0_1, entry_0_2
from tests.formats.views import content_of, document_of, model, outcomes_of, value, written

INPUTS = int(os.environ.get("OPENG2G_FUZZ_INPUTS", "300"))
BATCHES = 4  # So that several processes share them.
SLOWEST_S = 20.0  # Of one small file, on a machine that is busy with other tests.

_VALUES: tuple[dict[str, Any], ...] = (
    *({key: item for key, item in config.items() if item is not None} for _, config in EXAMPLES.values()),
    value(
        name="fleet",
        annotations={"models": {"a": {"x": 1}}, "a.b": [[1, 2.5], {"on": True}, "é🚀"], "t": "8:30"},
        revision={"number": 1, "author": "Ada", "effective_from": "2026-03-01T12:00:00Z"},
    ),
    {"models": [entry_0_1(model_id="x"), entry_0_2(model_label="b")]},
    {"deployments": [deployment_0_2()]},
    value(model(), model(model_label="b")),
)
_BY_HAND = {
    "yaml": (
        "# why\n%YAML 1.2\n---\nmodels:\n- {model_label: a, num_replicas: 0x2, gpus_per_replica: 0o4, "
        "initial_batch_size: +8,\n   itl_deadline_s: 1e-1, feasible_batch_sizes: [8, 16,\n  32]}\nannotations:\n"
        "  text: |\n    a\n\n    b\n  folded: >-\n    a\n     b\n  'quoted': \"\\u00e9\\\n   x\"\n...\n---\n"
        "- models: []\n- ? a\n  : ~\n",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\nd: !!str 1\n<<: *a\n1: 2\n",
    ),
    "toml": (
        "# why\n[[workloads]]\nname = \"a\"\n[[workloads.models]]\nmodel_label = 'a'\nnum_replicas = 1_0\n"
        "gpus_per_replica = 0x4\ninitial_batch_size = 8\nitl_deadline_s = 1e-1\nfeasible_batch_sizes = [8, # x\n 16,]\n"
        '[workloads.annotations]\na."b".c = 2026-03-01T12:00:00.5+01:00\nd = [12:00:00, {e = 2026-03-01}]\n'
        "t = \"\"\"\na \\\n  b\"\"\"\nu = '''a'''\n[[workloads]]\nmodels = []\n",
        "a.b.c = inf\n[a.b.d]\ne = { f.g = nan, h = [[], [{}]] }\n[[a.i]]\n[a.i.j]\n[[a.i]]\n",
    ),
}
_SEEDS = {
    "yaml": (
        *(encode_yaml(each).encode() for each in (*_VALUES, list(_VALUES[4:6]))),
        *(json.dumps(each, ensure_ascii=False).encode() for each in _VALUES[4:]),
        "---\n".join(f"{encode_yaml(each)}\n" for each in _VALUES[4:]).encode(),
        *(text.encode() for text in _BY_HAND["yaml"]),
    ),
    "toml": (
        *(tomli_w.dumps(each).encode() for each in _VALUES),
        tomli_w.dumps({"workloads": list(_VALUES[4:])}).encode(),
        written([Document(published_fleet())] * 2, "toml").encode(),
        *(text.encode() for text in _BY_HAND["toml"]),
    ),
}
_TOKENS = (
    *(b"NaN", b".nan", b"-.inf", b"inf", b"nan", b"1e999", b"-0.0", b"9" * 30, b"9" * 5000, b"0x" + b"f" * 5000),
    *(b"null", b"~", b"true", b"yes", b"0", b"-1", b"1.5", b"1_0", b"8:30", b"2026-03-01", b"12:00:00.1", b"0o7"),
    *(b'"', b"'", b'"""', b"'''", b'""', b"{", b"}", b"[", b"]", b"{}", b"[]", b",", b":", b": ", b"=", b".", b"\\"),
    *(b"- ", b"? ", b"&a ", b"*a", b"!!str ", b"! ", b"<<: ", b"|\n", b">-\n", b"---\n", b"...\n", b"%TAG ! a\n", b"#"),
    *(b"@", b"`", b"%", b"\t", b"\n", b"\r", b"\n\n  ", b" ", b"\0", b"\x7f", b"\\u0000", b"\\ud83d", b"\\UFFFFFFFF"),
    *(b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", "é🚀\u2028\x85\ufeff".encode()),
    *(
        b"models",
        b"[[models]]\n",
        b"[models]\n",
        b"[[workloads]]\n",
        b"workloads = []\n",
        b"spec: ",
        b"a = 1\n",
        b"a: 1\n",
    ),
    *(b"[" * 150, b'{"a":' * 150, b"{a=" * 150, b"- " * 150, b"a." * 150, b"? " * 150),
)


def mutated(number: int, format_name: str) -> bytes:
    """Make a valid file with a few places cut out, repeated, moved, or replaced by what does not belong there."""
    choose = random.Random(number)
    data = choose.choice(_SEEDS[format_name])
    for _ in range(choose.randint(1, 5)):
        start = choose.randint(0, len(data))
        end = min(len(data), start + choose.choice((0, 0, 1, 2, 5, 40)))
        other = choose.randint(0, len(data))
        inserted = choose.choice(
            (
                choose.choice(_TOKENS),
                choose.choice(_TOKENS),
                choose.randbytes(choose.randint(0, 3)),
                data[start:end] * 2,
                data[other : other + 30],
            )
        )
        data = data[:start] + inserted + data[end:]
    return data


def check(content: bytes, format_name: str) -> None:
    """Read; what was accepted must survive being written as JSON, and in the format itself where that can say it."""
    begun = time.process_time()
    outcomes = outcomes_of(content, format_name)
    assert time.process_time() - begun < SLOWEST_S
    for outcome in outcomes:
        if isinstance(outcome, InvalidDocumentError):
            assert outcome.problems
            assert all(problem.message and problem.where.startswith("f") for problem in outcome.problems)
            continue
        assert isinstance(outcome, Document)
        # An empty text of a revision is written like an absent one, so the fourth part is left to another test.
        assert content_of(document_of(written([outcome])))[:3] == content_of(outcome)[:3]
        again = document_of(written([outcome], format_name), format_name)
        assert again.workload == outcome.workload
        assert json.dumps(again.annotations, sort_keys=True) == json.dumps(outcome.annotations, sort_keys=True)


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("format_name", ["yaml", "toml"])
def test_a_file_with_some_bytes_changed_is_read_or_refused(format_name: str, batch: int) -> None:
    read = refused = 0
    for number in range(batch, INPUTS, BATCHES):
        content = mutated(number, format_name)
        try:
            check(content, format_name)
        except Exception as error:  # Whatever it is, the test shows it, with the file.
            error.add_note(f"{format_name} file number {number}: {content!r}")
            raise
        outcomes = outcomes_of(content, format_name)
        read += any(isinstance(outcome, Document) for outcome in outcomes)
        refused += any(isinstance(outcome, InvalidDocumentError) for outcome in outcomes)
    assert INPUTS < 100 or (read and refused), "the mutations are too gentle or too rough to find anything"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_what_both_parsers_of_pyyaml_read_they_read_alike(batch: int) -> None:
    for number in range(batch, INPUTS, BATCHES):
        try:
            text = mutated(number, "yaml").decode()
        except UnicodeDecodeError:
            continue
        in_python, in_c = (list(decode_yaml(text, "f", loader)) for loader in (yaml.SafeLoader, yaml.CSafeLoader))
        if all(isinstance(outcome, YamlDocument) for outcome in (*in_python, *in_c)):
            assert repr(in_python) == repr(in_c), (number, text)


@pytest.mark.parametrize("format_name", ["yaml", "toml"])
@pytest.mark.parametrize(
    "content",
    [
        *(
            token * 200_000
            for token in ("[", "{", "]", "(", '{"a":', "{a=", "- ", "? ", "a.", '"a".', "[[", "&a ", "!a ")
        ),
        *(
            token * 200_000
            for token in ("a: [\n", "[a]\n", "[[a]]\n", "---\n", "'", '"', '"""\n', "\\", "%TAG ! a\n", "#\n")
        ),
        *(f"a{mark} {number}" for mark in ":=" for number in ("9" * 10**6, "0x" + "f" * 10**6, "1e" + "9" * 10**6)),
        *(f"a{mark} {quote}{'x' * 10**6}{quote}" for mark in ":=" for quote in ("'", '"', "'''", '"""', "")),
        "".join(f"k{number}: 1\n" for number in range(20_000)),
        "".join(f"k{number} = 1\n" for number in range(20_000)),
        "models:\n" + "- {}\n" * 5_000,
        "[[models]]\n" * 5_000,
        "annotations: {" + "".join(f'"k.{number}": .nan, ' for number in range(5_000)) + "}",
        ".".join(["a"] * 100) + ": .nan",
    ],
    ids=lambda content: content[:12],
)
def test_large_and_hostile_files_are_refused_soon(content: str, format_name: str) -> None:
    begun = time.process_time()
    outcomes = outcomes_of(content, format_name)
    assert time.process_time() - begun < SLOWEST_S
    assert outcomes and all(isinstance(outcome, InvalidDocumentError) for outcome in outcomes)
