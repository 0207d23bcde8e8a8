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


SHAPES = {
    "a scheme without its colon": ["postgresql//ada:{}@h/x", "//ada:{}@h/x", "PostgreSQL//ada:{}@h", "x//y?foo={}"],
    "another sign for the colon": ["postgresql;//ada:{}@h/x", "postgresql：//ada:{}@h/x", "postgresql∶//ada∶{}@h/x"],
    "signs of full width": ["ada：{}＠h/x", "postgresql://h/x？password＝{}"],
    "white space": [
        "postgresql ://ada:{}@h/x",
        "postgresql:// ada : {} @ h/x",
        "postgresql:\n//ada:{}@h/x",
        "ada:\t{}@h/x",
        "ada:my {}\n@h",
        "postgresql://ada {}@h/x",
    ],
    "what nobody sees": ["postgresql\u200b://ada:{}@h/x", "ada:\u200b{}\u2060@h", "pass\xadword={}"],
    "percent signs": ["postgresql://ada%3A{}%40h/x", "ada%253A{}%2540h", "postgresql://h/x%26password%3D{}"],
    "quotes": ['ada:"{}"@h/x', "ada:'{}@h/x", "ada:it's{}@h/x", "“postgresql//ada:{}@h/x”", "'ada:{}@h/x"],
    "other slashes": ["postgresql:\\\\ada:{}@h\\x", "postgresql:\\/\\/ada:{}@h\\/x", "postgresql:/ /ada:{}@h"],
    "no scheme": ["ada:{}@h", "ada:a@{}@10.0.0.1", "ada:{}@[::1]:5432/x", "ada:{}@/run/pg", "./ada:{}@h", "x/ada:{}@h"],
    "no host": ["ada:{}@", "postgresql://ada:{}@", "postgresql://ada:{}", "postgresql@ada:{}@h"],
    "no colon": ["postgresql://ada;{}@h/x", "postgresql://ada/{}@h/x", "redis://{}@h", "ada:/{}@h/x"],
    "options": [
        "postgresql://h/x&password={}",
        "postgresql://h&sslpassword={}",
        "postgresql://h/x?password=a&b{}",
        "postgresql://h/x?user=ada&amp;password = {}",
        "jdbc:postgresql://h/x?user=ada&password={}",
        "h/x?pass={}",
    ],
    "settings": [
        "password = 'x {}'",
        "password='x {}",
        "password='a''b {}' host=h",
        "host=h PASSWORD=a,b{} user=ada",
        'export PGPASSWORD="{}"',
        "host=h passfile=/home/{}",
        "sslpassword={}",
        "Server=h;User Id=ada;Password={};",
        "{host: h, password: {}}",
        '{"password": "{}"}',
        "dbname=postgresql://ada:{}@h/x",
    ],
}


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_a_secret_is_masked_in_whatever_shape_and_part_of_it_a_text_quotes_what_was_given(shapes: list[str]) -> None:
    for shape in shapes:
        given = shape.replace("{}", SECRET)
        assert SECRET not in masked_value(given)
        parts = [given, *given.split("@"), *given.split("=", 1), *given.split()]
        for part in parts:
            for text in (f"{part!r} is wrong", f"{part} is wrong", f"no file ./{part}/x"):
                assert SECRET not in without_secrets(text, [given]), (given, text)


@pytest.mark.parametrize(
    "text",
    [
        *("fleet@2", "fleet@-1", "fleet@latest", "team/fleet@production", "a@b@c", "é@2", "fleet@prod:1", "fleet*"),
        *("sha256:ab12cd34", "sha256:ab12cd34@production", "sha256:ab12@…", "tag", "team=grid", "password"),
        *("2026-03-01", "2026-03-01 10:00", "2026-03-01T00:00:00+02:00", "fleet@2026-03-01T10:00:00Z"),
        *("m.itl_deadline_s < 0.1 and name == 'a:b'", "name in ['a:b','c@d']", "name == 'a:b'\nor author == 'c@d'"),
        *(
            "m.num_replicas // 2 == 1 and author == 'ada@example.org'",
            'm.x//2==1 and name=="a@b"',
            "models[0].num_replicas=1",
        ),
        *("Ada <ada@example.org>", "Ada: dev <ada@example.org>", "note: ask bob@example.org", "50%40 100%"),
        *(
            "C:\\x\\y@z",
            "C:/x/y@z",
            r"C:\\x\\y@z",
            "\\\\server\\share\\x",
            "/data/2026-03-01T10:00/x.json",
            "x.json:3:5",
        ),
        *("postgresql://ada@h:5432/x?sslmode=require", "sqlite:////x.db", "http://h:80/x", "git@github.com:org/repo"),
    ],
)
def test_an_ordinary_argument_is_left_alone(text: str) -> None:
    assert masked_value(text) == text
    for message in (f"{text!r} is wrong", f"{text} is wrong", f"no file /tmp/{text}"):
        assert without_secrets(message, [text, "list"]) == message


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
