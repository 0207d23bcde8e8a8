"""What looks like a secret is masked in every text, and what does not is left alone."""

import pytest

from openg2g.models.errors import CatalogError, FilterError, InvalidDocumentError, Problem, WorkloadNotFoundError
from openg2g.models.instant import parse_instant, parse_zone
from openg2g.models.secrets import masked_value, without_secrets

SECRET = "canary-secret"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://ada:{}@h/x", "postgresql://ada:***@h/x"),
        ("POSTGRES://ada:{}@h/x: no", "POSTGRES://ada:***@h/x: no"),
        ("postgresql:/ada:{}@h/x", "postgresql:/ada:***@h/x"),
        ("postgresql://:{}@h/x", "postgresql://:***@h/x"),
        ("postgresql://ada:a@{}@h/x?a=1", "postgresql://ada:***@h/x?a=***"),
        ("postgresql://ada:a/{}@h/x", "postgresql://ada:***@h/x"),
        ("postgresql://ada:%41{}%2F@h/x", "postgresql://ada:***@h/x"),
        ("postgresql://ada:my {} too@h/x", "postgresql://ada:***@h/x"),
        ("'postgresql://ada:my {}@h/x' is wrong: NAME@3", "'postgresql://ada:***@h/x' is wrong: NAME@3"),
        ("got 'postgresql://ada:{}'. Write", "got 'postgresql://ada:***'. Write"),
        ("(DATABASE_URL=postgresql://ada:{}@h/x)", "(DATABASE_URL=postgresql://ada:***@h/x)"),
        ("<postgresql://ada:{}@h/x>", "<postgresql://ada:***@h/x>"),
        ("\ufeffpostgresql://ada:{}@h/x\n", "\ufeffpostgresql://ada:***@h/x\n"),
        ("jdbc:postgresql://h/x?user=ada&password={}", "jdbc:postgresql://h/x?user=ada&password=***"),
        ("postgresql://h/x?sslmode=require&sslpassword={})", "postgresql://h/x?sslmode=require&sslpassword=***)"),
        ("postgresql://h/x?options=-c%20a%3D{}", "postgresql://h/x?options=***"),
        ("mysql://root:{}@h", "mysql://root:***@h"),
        ("fatal: https://{}@git.example/x.git", "fatal: https://***@git.example/x.git"),
        ("host=h user=ada password={} dbname=x", "host=h user=ada password=*** dbname=x"),
        ("\"host=h password='a {}'\" is wrong", '"host=h password=***" is wrong'),
        ("Host=h;Username=ada;Password={};", "Host=h;Username=ada;Password=***;"),
        ("PGPASSWORD={} openg2g list", "PGPASSWORD=*** openg2g list"),
        ("{'password': '{}'}", "{'password': ***}"),
        ("'ada:{}@db.example:5432/x' is wrong: 'ada:{}'", "'ada:***@db.example:5432/x' is wrong: 'ada:***'"),
        ("got 'host=h passw...{}'.", "got 'host=h passw...***'."),
        ("'postgresql:/...y-{}@h:5432/x'", "'postgresql:/***@h:5432/x'"),
    ],
)
def test_a_secret_is_masked_and_the_rest_of_the_text_is_not(text: str, masked: str) -> None:
    assert without_secrets(text.replace("{}", SECRET)) == masked
    assert SECRET not in masked_value(text.replace("{}", SECRET))


@pytest.mark.parametrize(
    "text",
    [
        "postgresql+psycopg://ada@db.example:5432/fleet cannot be reached: write NAME@3",
        "postgresql+psycopg://ada:***@db.example/fleet: the name fleet@3 is taken",
        "postgresql+psycopg://db.example:5432/fleet: NAME@ALIAS, a:b",
        "Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:///PATH, and an @ of the password as %40.",
        "fleet.json:2:13: models[0].model_label must not be blank, got ' '.",
        "'sha256:abcd@3' is wrong; a@b@c; sweep:17@3; fleet@2026-03-01T12:00Z; git@github.com:org/repo",
        "the server refused the user name or password (connection failed: fe_sendauth: no password supplied)",
        "https://example.org/@ada and http://[::1]:80/x and file:///tmp/x.db and C:/x/y@z",
        "it's the user's, isn't it?",
    ],
)
def test_a_text_without_a_secret_is_left_alone(text: str) -> None:
    assert without_secrets(text) == text


def test_what_is_no_time_or_zone_is_not_repeated_where_it_is_a_url() -> None:
    for read in (parse_instant, parse_zone):
        with pytest.raises(ValueError, match=r"'postgresql://ada:\*\*\*@h/x' is no time") as caught:
            read(f"postgresql://ada:{SECRET}@h/x")
        assert SECRET not in str(caught.value)


def test_errors_mask_their_texts_and_what_they_carry() -> None:
    url = f"postgresql://ada:{SECRET}@h/x"
    for error in (
        CatalogError(f"{url} is wrong"),
        WorkloadNotFoundError(f"password={SECRET}", "no workload has this name"),
        FilterError(f"name == '{url}", f"unterminated text {url!r}", 9, 40),
        InvalidDocumentError([Problem("x.json", "name", f"must be a name, got {url!r}.")]),
    ):
        assert SECRET not in f"{error} {error!r} {vars(error)}"
