"""YAML files: what YAML 1.2 says, the same for readers of 1.1, and nothing read that could mean something else."""

import io
import itertools
import json
import subprocess
import sys
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.document import Document, RevisionData
from openg2g.formats.limits import MAX_DEPTH
from openg2g.formats.registry import get_format
from openg2g.formats.yaml.decoder import MAX_NODES, YamlDocument, decode_yaml, resolve_plain
from openg2g.formats.yaml.encoder import encode_yaml
from openg2g.models.digest import workload_digest
from openg2g.models.errors import InvalidDocumentError
from tests.builders import make_spec, make_workload, published_fleet
from tests.formats.configs import EXAMPLES
from tests.formats.views import (
    content_of,
    document_of,
    documents_of,
    message_of,
    model,
    nested,
    outcomes_of,
    value,
    written,
)
from tests.strategies import HOSTILE_TEXTS, documents, examples, json_values

LOADERS = (yaml.SafeLoader, yaml.CSafeLoader)


def decoded(text: str, loader: Any = yaml.CSafeLoader) -> Any:
    """Decode the one document of a text."""
    (outcome,) = decode_yaml(text, "f", loader=loader)
    assert isinstance(outcome, YamlDocument), outcome
    return outcome.value


def refusal_of(text: str, loader: Any = yaml.CSafeLoader) -> str:
    """What a user reads about a text that is refused."""
    (outcome,) = decode_yaml(text, "f", loader=loader)
    assert isinstance(outcome, InvalidDocumentError), outcome
    return str(outcome)


# What is read.


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, None) for text in ("~", "null", "Null", "NULL", "")),
        *((text, True) for text in ("true", "True", "TRUE")),
        *((text, False) for text in ("false", "False", "FALSE")),
        *((text, text) for text in ("yes", "Yes", "no", "on", "On", "off", "y", "n", "tRUE", "nULL", "None", "=")),
        ("12", 12),
        ("+12", 12),
        ("-12", -12),
        ("0", 0),
        ("0123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        *((text, text) for text in ("0b11", "0o18", "-0x1F", "0X1F", "0O17", "1_000", "1,000", "٣", "１", "+", "-1-")),
        *((text, text) for text in ("8:30", "190:20:30", "12:30:45.5", "2026-03-01", "2026-03-01T12:00:00Z")),
        ("1.0", 1.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1e-1", 0.1),
        ("1e3", 1000.0),
        ("1E+3", 1000.0),
        ("+1.5e-07", 1.5e-07),
        ("-0.0", -0.0),
        ("12345678901234567890123", 12345678901234567890123),
        *((text, text) for text in (".", "..", "1e", "e1", "1.2.3", "1_0.5", ".e1", "nan", "inf", "NaN", ".Nan", "+.")),
        ("'12'", "12"),
        ('"true"', "true"),
        ('""', ""),
        ("a b", "a b"),
        (r'"\u00e9\x41\n\N\/"', "éA\n\x85/"),
        ("|\n  a\n   b\n", "a\n b\n"),
        (">-\n  a\n  b\n", "a b"),
        ("|\n  12\n", "12\n"),
    ],
)
def test_a_scalar_means_what_the_core_schema_of_yaml_1_2_says(text: str, expected: Any, loader: Any) -> None:
    assert repr(decoded(f"- {text}\n", loader)) == repr([expected])


@pytest.mark.parametrize(
    ("text", "expected"),
    [(".inf", "inf"), ("-.INF", "-inf"), ("+.Inf", "inf"), (".nan", "nan"), (".NaN", "nan"), ("1e999", "inf")],
)
def test_numbers_that_are_not_finite_are_read_and_refused_by_the_rules_of_the_document(
    text: str, expected: str
) -> None:
    assert str(resolve_plain(text)) == expected
    content = f"models: [{{model_label: a, itl_deadline_s: {text}}}]\nannotations: {{x: {text}}}"
    message = message_of(content, "yaml")
    assert "f:1:27: models[0].itl_deadline_s must be " in message
    assert f"f:2:15: annotations.x must be finite, got {expected}." in message


def test_a_file_as_a_person_writes_it() -> None:
    text = """\
# Why these: see the plan.
%s
name: fleet
models:
- model_label: Llama-3.1-70B   # the large one
  num_replicas: 180
  gpus_per_replica: 4
  initial_batch_size: 128
  itl_deadline_s: 1e-1
  feasible_batch_sizes: [8, 16,
    32]
- {model_label: 'on', num_replicas: 0, gpus_per_replica: 0x1, initial_batch_size: 8, itl_deadline_s: 2}
annotations:
  checked: 2026-03-01
  window: 8:30
revision:
  effective_from: 2026-03-01T13:00:00+01:00
"""
    for directive in ("---", "%YAML 1.2\n---", "%YAML 1.1 # once\n---"):
        document = document_of(text % directive, "yaml")
        assert document.name == "fleet"
        assert document.workload.models[0] == make_spec(feasible_batch_sizes=(8, 16, 32))
        assert document.workload.models[1] == make_spec(
            model_label="on",
            num_replicas=0,
            gpus_per_replica=1,
            initial_batch_size=8,
            itl_deadline_s=2.0,
            feasible_batch_sizes=(128,),
        )
        assert document.annotations == {"checked": "2026-03-01", "window": "8:30"}
        assert str(document.revision.effective_from) == "2026-03-01 12:00:00+00:00"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("beginning", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_and_any_end_of_line_are_read(newline: str, beginning: bytes) -> None:
    text = written([Document(published_fleet())], "yaml").replace("\n", newline)
    assert document_of(beginning + text.encode(), "yaml").workload == published_fleet()


@pytest.mark.parametrize("example", EXAMPLES)
def test_configurations_of_openg2g_are_recognised(example: str) -> None:
    version, config = EXAMPLES[example]
    document = document_of(encode_yaml(config), "yaml")
    assert content_of(document) == content_of(document_of(config))
    assert document.annotations["openg2g"]["version"] == version


def test_json_is_yaml() -> None:
    for text in (json.dumps(value()), json.dumps(value(), indent=4), json.dumps(value(), separators=(",", ":"))):
        assert content_of(document_of(text, "yaml")) == content_of(document_of(value()))


def test_one_workload_a_list_and_several_documents_know_their_places() -> None:
    one = encode_yaml(value())
    assert [document.where for document in documents_of(one, "yaml")] == ["f"]
    assert [document.where for document in documents_of(f"---\n{one}\n---\n...\n", "yaml")] == ["f"]
    assert [document.where for document in documents_of(encode_yaml([value()]), "yaml")] == ["f[0]"]
    several = f"{one}\n---\n{encode_yaml([value(), value()])}\n---\n# nothing\n---\n{one}\n"
    assert [document.where for document in documents_of(several, "yaml")] == ["f[0]", "f[1]", "f[2]", "f[3]"]
    assert documents_of("[]", "yaml") == []


def test_good_documents_are_read_beside_bad_ones() -> None:
    good = encode_yaml(value())
    bad = (
        "- 5",
        "a: *b",
        encode_yaml(value(model(num_replicas=-1))),
        "null",
    )
    text = "\n---\n".join([good, bad[0], good, bad[1], good, bad[2], bad[3], good])
    outcomes = outcomes_of(text, "yaml")
    assert [o.where for o in outcomes if isinstance(o, Document)] == ["f[0]", "f[2]", "f[4]", "f[7]"]
    assert [str(o) for o in outcomes if isinstance(o, InvalidDocumentError)] == [
        "f:9:3: a workload must be an object, got 5.",
        "f:19:4: a is the alias *b: aliases are not read, write the value out.",
        "f:31:5: models[0].num_replicas must be >= 0, got -1.",
        "f:37:1: a workload must be an object, got null.",
    ]


def test_what_precedes_a_syntax_error_is_read() -> None:
    document, error = outcomes_of(f"{encode_yaml(value())}\n---\nmodels: [\n---\n", "yaml")
    assert isinstance(document, Document) and document.where == "f[0]"
    assert str(error).startswith("f:10:1: is not YAML: ")


def test_documents_are_made_one_at_a_time() -> None:
    text = f"{encode_yaml(value())}\n---\n" * 3 + "models: ["
    outcomes = get_format("yaml").read(io.BytesIO(text.encode()), "f")
    assert isinstance(next(outcomes), Document)


# Problems and their places.


def test_every_problem_stands_at_its_field_or_at_what_lacks_it() -> None:
    text = """\
models:
  - model_label: a
    num_replica: 1
    gpus_per_replica: 4
    initial_batch_size: 8
    itl_deadline_s: fast
    feasible_batch_sizes: [8,
      0]
annotations: {"a.b[0]": [{"": .nan}]}
revision:
  recorded_at: 2026-03-01 12:00
"""
    assert message_of(text, "yaml").splitlines() == [
        "f:2:5: models[0].num_replicas is missing.",
        "f:3:5: models[0].num_replica is not a known field: did you mean num_replicas?",
        "f:6:5: models[0].itl_deadline_s must be a number, got 'fast'.",
        "f:8:7: models[0].feasible_batch_sizes[1] must be > 0, got 0.",
        "f:9:27: annotations.a.b[0][0]. must be finite, got nan.",
        "f:11:3: revision.recorded_at must be a time with its offset (2026-03-01T12:00:00Z), got '2026-03-01 12:00'.",
    ]
    assert message_of("# none\nname: fleet\n", "yaml") == "f:2:1: models is missing."


def test_an_unclosed_bracket_is_named_by_the_line_it_stands_in() -> None:
    text = "models:\n  - feasible_batch_sizes: [8,\n    num_replicas: 1\n\nname: fleet\n"
    assert message_of(text, "yaml").startswith("f:5:5: is not YAML: while parsing a flow sequence (begun in line 2), ")


def test_problems_of_a_configuration_stand_at_its_fields() -> None:
    text = "deployments:\n  - spec: {model_label: a, itl_deadline_s: 0}\n    initial_batch_size: 8\n"
    lines = message_of(text, "yaml").splitlines()
    assert "f:2:28: deployments[0].spec.itl_deadline_s must be > 0, got 0." in lines
    assert "f:2:5: deployments[0].num_replicas is missing." in lines


REFUSALS = [
    ("a: &x 1", "f:1:4: a has the anchor &x: anchors are not read, leave it out."),
    ("&x [1]", "f:1:1: has the anchor &x: anchors are not read, leave it out."),
    ("a:\n  - b: *x", "f:2:8: a[0].b is the alias *x: aliases are not read, write the value out."),
    ("*x : 1", "f:1:1: is the alias *x: aliases are not read, write the value out."),
    ("a: !!str 1", "f:1:4: a has the tag '!!str': tags are not read, leave it out."),
    ("a: ! 1", "f:1:4: a has the tag '!': tags are not read, leave it out."),
    ("a: !x {b: 1}", "f:1:4: a has the tag '!x': tags are not read, leave it out."),
    (
        "- !!python/object/apply:os.system [ls]",
        "f:1:3: [0] has the tag '!!python/obj...ply:os.system': tags are not read, leave it out.",
    ),
    ("!!int 1: 2", "f:1:1: has the tag '!!int': tags are not read, leave it out."),
    ("a: 1\nb: 2\na: 1", "f:3:1: a stands more than once."),
    ("a: 1\n'a': 1", "f:2:1: a stands more than once."),
    ("a:\n  - {b: 1, b: 2}", "f:2:12: a[0].b stands more than once."),
    (
        "a: 1\na: 2\na: 3",
        "f:2:1: a stands more than once.\nf:3:1: a stands more than once.",
    ),
    ("1: 2", "f:1:1: must have strings as keys, got 1. Write a key like that in quotes."),
    ("a: {1.5: 2}", "f:1:5: a must have strings as keys, got 1.5. Write a key like that in quotes."),
    ("true: 2", "f:1:1: must have strings as keys, got true. Write a key like that in quotes."),
    ("~: 2", "f:1:1: must have strings as keys, got null. Write a key like that in quotes."),
    ("? \n: 2", "f:1:2: must have strings as keys, got null. Write a key like that in quotes."),
    ("? [a]\n: 2", "f:1:3: must have strings as keys, got a list. Write a key like that in quotes."),
    ("? {a: 1}\n: 2", "f:1:3: must have strings as keys, got an object. Write a key like that in quotes."),
    (
        "a:\n  <<: {b: 1}",
        "f:2:3: a must not merge other objects (<<): merges are not read, write the fields out.",
    ),
    ("a: " + "9" * 4002, "f:1:4: a must have at most 4,000 digits."),
    ("a: 0x" + "f" * 3990, "f:1:4: a must have at most 4,000 digits."),
    ("a: 0." + "9" * 4002, "f:1:4: a must have at most 4,000 digits."),
    ("a: {b: " + "9" * 1_000_000 + "}", "f:1:8: a.b must have at most 4,000 digits."),
    ('a: "\x85"', 'f:1:5: is not YAML that we read: write the character U+0085 as "\\u0085" in double quotes.'),
    ("a: b\u2028c", 'f:1:5: is not YAML that we read: write the character U+2028 as "\\u2028" in double quotes.'),
    ("a: 1\nb: \x00", 'f:2:4: is not YAML that we read: write the character U+0000 as "\\u0000" in double quotes.'),
    ("a: \x7f", 'f:1:4: is not YAML that we read: write the character U+007F as "\\u007F" in double quotes.'),
    ("%TAG ! x:\n--- 1", "f:1:1: is not YAML that we read: the directive '%TAG ! x:'. Only %YAML 1.2 may stand there."),
    ("a\n...\n%X\n---", "f:3:1: is not YAML that we read: the directive '%X'. Only %YAML 1.2 may stand there."),
    ("%YAML 2.0\n---", "f:1:1: is not YAML that we read: the directive '%YAML 2.0'. Only %YAML 1.2 may stand there."),
]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(("text", "message"), REFUSALS, ids=[text[:20] for text, _ in REFUSALS])
def test_what_could_mean_something_else_is_refused_with_its_line_and_column(
    text: str, message: str, loader: Any
) -> None:
    assert refusal_of(text, loader) == message


@pytest.mark.parametrize("loader", LOADERS)
def test_everything_that_is_refused_in_a_document_is_reported_at_once(loader: Any) -> None:
    text = "a: &x 1\nb: {c: *x, d: !!int 2, d: 3}\n2: {<<: *x}\n"
    assert [line.split(" ")[0] for line in refusal_of(text, loader).splitlines()] == [
        *("f:1:4:", "f:2:8:", "f:2:15:", "f:2:24:", "f:3:1:", "f:3:5:", "f:3:9:"),
    ]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2}", "f:1:9"),
        ("a: [1\nb: 2", "f:2:2"),
        ("a: b: c", "f:1:5"),
        ("a: 1\n b: 2", "f:2:3"),
        ("a:\n\t- 1", "f:2:1"),
        ('a: "b', "f:1:6"),
        ("é: %", "f:1:4"),
        ("a: @b", "f:1:4"),
        ("a: `b", "f:1:4"),
        ("{a: 1}}", "f:1:7"),
        ("- a\nb: c", "f:2:1"),
    ],
)
def test_what_is_no_yaml_is_refused_with_line_and_column(text: str, place: str, loader: Any) -> None:
    *_, outcome = decode_yaml(text, "f", loader=loader)
    assert isinstance(outcome, InvalidDocumentError)
    assert str(outcome).startswith(f"{place}: is not YAML: ")
    assert str(outcome).endswith(".")


@pytest.mark.parametrize("escape", [r"\ud800", r"\ud83d\ude00", r"\U00110000", r"\Uffffffff"])
@pytest.mark.parametrize("loader", LOADERS)
def test_an_escape_that_is_no_character_is_refused(escape: str, loader: Any) -> None:
    for text in (f'a: "{escape}"', f'"{escape}": 1'):
        assert refusal_of(text, loader).startswith("f:1:" if loader is yaml.CSafeLoader or "d8" in escape else "f: ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "f: is empty."),
        (b" \n\t", "f: is empty."),
        (b"# nothing\n", "f: is empty."),
        (b"---\n...\n---\n", "f: is empty."),
        (b"~", "f:1:1: a workload must be an object, got null."),
        (b"a: b\nc: \xff", "f:2:4: is not UTF-8 text (byte 8)."),
        (b"\xef\xbb\xbfa: \xc3\xa9\xff", "f:1:5: is not UTF-8 text (byte 5)."),
        ("a: 1".encode("utf-16"), "f:1:1: is not UTF-8 text (byte 0). It looks like UTF-16: save it as UTF-8."),
        (
            b"\xfe\xff" + "a: 1".encode("utf-16-be"),
            "f:1:1: is not UTF-8 text (byte 0). It looks like UTF-16: save it as UTF-8.",
        ),
    ],
)
def test_empty_files_and_other_encodings_are_refused(data: bytes, message: str) -> None:
    assert message_of(data, "yaml") == message


def test_a_file_that_is_too_large_is_refused() -> None:
    fits = encode_yaml(value()).ljust(2**20)
    assert isinstance(outcomes_of(fits, "yaml", 2**20)[0], Document)
    assert message_of(fits + " ", "yaml", 2**20) == (
        "f: must have at most 1 MiB to be read at a time. Split it, or use JSON Lines, which streams."
    )


# Malice.


@pytest.mark.parametrize("loader", LOADERS)
def test_128_levels_are_read_and_no_more(loader: Any) -> None:
    assert MAX_DEPTH == 128
    message = "must not be nested more than 128 levels deep."
    assert decoded(encode_yaml(nested(128)), loader) == nested(128)
    assert decoded(json.dumps(nested(128)), loader) == nested(128)
    assert refusal_of("[" * 129 + "]" * 129, loader) == f"f:1:129: {message}"
    assert refusal_of(encode_yaml(nested(129)), loader).endswith(f": {message}")


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("repeated", ["[", "[\n", '{"a":', "{", "- ", "? ", "[{a: ", "- ? - "])
def test_endless_nesting_is_refused(repeated: str, loader: Any) -> None:
    message = refusal_of(repeated * 200_000, loader)
    assert "nested more than 128 levels" in message or "exceeded maximum nesting depth" in message
    assert message.startswith("f:")


def test_a_billion_laughs_are_refused_before_they_are_told() -> None:
    names = "abcdefghi"
    lines = ["a: &a [" + "lol, " * 9 + "lol]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in itertools.pairwise(names)]
    message = message_of("\n".join(lines), "yaml")
    assert message.startswith(
        "f:1:4: a has the anchor &a: anchors are not read, leave it out.\nf:2:4: b has the anchor"
    )
    assert len(message.splitlines()) == 8 * 11 + 1


def test_no_more_than_a_hundred_refusals_are_listed() -> None:
    assert len(message_of("a: 1\n" * 100_000, "yaml").splitlines()) == 100


def test_a_million_values_are_read_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_NODES == 1_000_000
    monkeypatch.setattr("openg2g.formats.yaml.decoder.MAX_NODES", 10)
    assert decoded("[1, 2, 3, 4, {a: 5, b: 6}]") == [1, 2, 3, 4, {"a": 5, "b": 6}]
    assert (
        refusal_of("[1, 2, 3, 4, {a: 5, b: 6}, 7]") == "f:1:28: has more than 10 values. Split it, or use JSON Lines."
    )
    assert len(documents_of("[]\n---\n" * 20, "yaml")) == 0


# What is written.


def test_a_document_is_written_in_this_very_text() -> None:
    document = Document(
        make_workload(1, model_label="通义 “é”", itl_deadline_s=1e-7, feasible_batch_sizes=(16, 8)),
        name="fleet",
        annotations={
            "note": [1, "on", {"deep": True, "on": None}, [[]], [1.5, {}]],
            "a b": "\x85\u2028\ufeff\x7f\t\n",
            "8:30": {},
            "k" * 1001: 1e22,
        },
        revision=RevisionData(number=1, author="Ada"),
    )
    assert written([document], "yaml") == (
        'format: "openg2g-workload/1"\n'
        'name: "fleet"\n'
        "models:\n"
        '  - model_label: "通义 “é”"\n'
        "    num_replicas: 100\n"
        "    gpus_per_replica: 4\n"
        "    initial_batch_size: 128\n"
        "    itl_deadline_s: 1.0e-07\n"
        "    feasible_batch_sizes: [16, 8]\n"
        "annotations:\n"
        "  note:\n"
        "    - 1\n"
        '    - "on"\n'
        "    - deep: true\n"
        '      "on": null\n'
        "    - - []\n"
        "    - - 1.5\n"
        "      - {}\n"
        '  "a b": "\\u0085\\u2028\\ufeff\\u007f\\t\\n"\n'
        '  "8:30": {}\n'
        f"  ? {'k' * 1001}\n"
        "  : 1.0e+22\n"
        "revision:\n"
        "  number: 1\n"
        '  author: "Ada"\n'
    )


@given(documents())
@examples(40)
def test_a_document_comes_back_and_is_written_as_the_same_text_again(document: Document) -> None:
    text = written([document], "yaml")
    found = document_of(text, "yaml")
    assert content_of(found) == content_of(document)
    assert workload_digest(found.workload) == workload_digest(document.workload)
    assert written([found], "yaml") == text


@given(st.lists(documents(), max_size=3))
@examples(20)
def test_documents_come_back_in_order(given_documents: list[Document]) -> None:
    text = written(given_documents, "yaml")
    assert list(map(content_of, documents_of(text, "yaml"))) == list(map(content_of, given_documents))


@given(json_values())
@examples(75)
def test_readers_of_yaml_1_1_read_what_is_written_as_it_was_meant(given_value: Any) -> None:
    text = encode_yaml(given_value)
    for loader in LOADERS:
        assert repr(yaml.load(text, loader)) == repr(given_value)
        assert repr(decoded(text, loader)) == repr(given_value)


@pytest.mark.parametrize("text", [*HOSTILE_TEXTS, "yes", "on", "y", "~", "<<", "=", "8:30", "1_000", "- a", "k" * 2000])
def test_hostile_texts_come_back_as_keys_and_as_values_in_both_versions(text: str) -> None:
    for content in ({text: text}, [text], {text: {text: [[text]]}}):
        assert decoded(encode_yaml(content)) == yaml.safe_load(encode_yaml(content)) == content


@pytest.mark.parametrize("label", HOSTILE_TEXTS)
def test_hostile_labels_come_back(label: str) -> None:
    document = Document(make_workload(1, model_label=label), annotations={"models": {label: {label: label}}})
    assert content_of(document_of(written([document], "yaml"), "yaml")) == content_of(document)


def test_several_documents_are_separated_and_none_is_an_empty_list() -> None:
    first, second = (Document(make_workload(), name=name) for name in "ab")
    one, two = (written([document], "yaml") for document in (first, second))
    assert written([first, second], "yaml") == f"{one}---\n{two}"
    assert written([], "yaml") == "[]\n"
    assert documents_of("[]\n", "yaml") == []
    assert [document["name"] for document in yaml.safe_load_all(written([first, second], "yaml"))] == ["a", "b"]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_of_json_is_not_written(number: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        encode_yaml({"a": [number]})


def test_the_deepest_annotations_that_a_catalog_stores_come_back() -> None:
    document = Document(make_workload(), annotations={"a": nested(99)})
    assert content_of(document_of(written([document], "yaml"), "yaml")) == content_of(document)


# Without PyYAML, and without its library in C.

_WITHOUT_YAML = """
import io, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "yaml":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
from openg2g.formats.document import Document
from openg2g.formats.registry import get_format
from openg2g.models.errors import MissingLibraryError
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
yaml = get_format("yaml")
stream = io.StringIO()
yaml.write([Document(LLMInferenceWorkload((LLMInferenceModelSpec("a", 1, 1, 8, 0.1),)))], stream)
assert "model_label: " in stream.getvalue()
try:
    list(yaml.read(io.BytesIO(stream.getvalue().encode()), "f"))
except MissingLibraryError as error:
    assert isinstance(error, ImportError)
    assert (error.library, error.extra) == ("PyYAML", "yaml")
    print(error)
"""


def test_without_pyyaml_a_file_is_written_and_reading_one_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", _WITHOUT_YAML], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        done.stdout == "reading YAML takes PyYAML, which is not installed. Run `pip install 'openg2g-catalog[yaml]'`.\n"
    )


@given(json_values(), st.booleans())
@examples(100)
def test_the_parsers_in_c_and_in_python_give_the_same(given_value: Any, is_json: bool) -> None:
    text = json.dumps(given_value, ensure_ascii=False) if is_json else encode_yaml(given_value)
    in_python, in_c = (list(decode_yaml(text, "f", loader=loader)) for loader in LOADERS)
    assert repr(in_python) == repr(in_c)
