"""Where a catalog is: paths, URLs, the environment and the default; and no password is ever shown."""

import logging
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from openg2g.catalog import Catalog, CatalogError, CatalogNotFoundError, CatalogUnavailableError, LocationError
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.location import ENVIRONMENT_VARIABLE, default_path, locate
from tests.builders import make_workload
from tests.postgres import PostgresServer

SECRET = "canary-secret"


@pytest.mark.parametrize("shape", ["{path}", "sqlite:///{path}", "sqlite+pysqlite:///{path}"])
def test_a_path_and_its_url_are_the_same_place(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "fleet 100% é.db"
    location = locate(shape.format(path=path))
    assert location == locate(path)
    assert (location.path, str(location)) == (path, str(path))
    with Catalog.create(path) as catalog:
        catalog.save("fleet", make_workload())
    with Catalog.open(shape.format(path=path)) as catalog:
        assert catalog.list_names() == ["fleet"]
        assert (catalog.location, repr(catalog)) == (str(path), f"<Catalog {path}>")
    assert list(tmp_path.iterdir()) == [path]


def test_a_relative_path_and_a_home_directory_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert locate("catalog.db").path == tmp_path / "catalog.db"
    assert locate("sqlite:///catalog.db").path == tmp_path / "catalog.db"
    assert locate("a/../b.db").path == tmp_path / "b.db"
    assert locate("~/catalog.db").path == tmp_path / "home" / "catalog.db"
    location = locate("catalog.db")
    monkeypatch.chdir("/")
    assert location.path == tmp_path / "catalog.db"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_spelling_of_a_postgresql_url_means_psycopg(scheme: str) -> None:
    location = locate(f"{scheme}://ada@db.example:5433/fleet?sslmode=require")
    assert location.path is None
    assert str(location) == "postgresql+psycopg://ada@db.example:5433/fleet?sslmode=require"


@pytest.mark.parametrize(
    ("url", "parameters"),
    [
        ("postgresql://ada@%2Frun%2Fpg/fleet", {"user": "ada", "host": "/run/pg", "dbname": "fleet"}),
        ("postgresql://%2Frun%2Fpg:5433/fleet", {"host": "/run/pg", "port": "5433", "dbname": "fleet"}),
        ("postgresql:///fleet?host=/run/pg&port=5433", {"host": "/run/pg", "port": "5433", "dbname": "fleet"}),
        ("postgresql://h1:1,h2:2/fleet", {"host": "h1,h2", "port": "1,2", "dbname": "fleet"}),
        ("postgresql://h1,h2:2/fleet", {"host": "h1,h2", "port": ",2", "dbname": "fleet"}),
        ("postgresql://[::1]:1,h2/fleet", {"host": "::1,h2", "port": "1,", "dbname": "fleet"}),
        ("postgresql://h1,h2/fleet?port=5433", {"host": "h1,h2", "port": "5433,5433", "dbname": "fleet"}),
        ("postgresql://h1,h2/fleet", {"host": "h1,h2", "port": ",", "dbname": "fleet"}),
        ("postgresql:///fleet?host=h1:1&host=h2:2", {"host": "h1,h2", "port": "1,2", "dbname": "fleet"}),
        ("postgresql:///fleet?host=h1,h2&port=1,2", {"host": "h1,h2", "port": "1,2", "dbname": "fleet"}),
        ("postgresql://[2001:db8::1]:5433/fleet", {"host": "2001:db8::1", "port": 5433, "dbname": "fleet"}),
        ("postgresql://db.example?dbname=fleet&user=ada", {"host": "db.example", "user": "ada", "dbname": "fleet"}),
        ("postgresql://a%40b:c%2Fd@h/e%25f", {"user": "a@b", "password": "c/d", "host": "h", "dbname": "e%f"}),
        ("postgresql://h/fleet?ssl=true", {"host": "h", "dbname": "fleet", "sslmode": "require"}),
        ("postgresql:///?service=fleet", {"service": "fleet"}),
        ("postgresql://h/fleet?options=-c%20a%3Db+c", {"host": "h", "dbname": "fleet", "options": "-c a=b+c"}),
        ("postgresql://h/fleet?application_name=", {"host": "h", "dbname": "fleet", "application_name": ""}),
        ("POSTGRESQL://h/fleet?prepared_statements=off", {"host": "h", "dbname": "fleet"}),
        ("postgres://", {}),
    ],
)
def test_urls_mean_what_they_mean_to_libpq(url: str, parameters: dict[str, Any]) -> None:
    location = locate(url)
    [_, handed_over] = Database(location).engine.dialect.create_connect_args(location.url)
    del handed_over["context"]  # SQLAlchemy's own: how values are converted.
    assert {**handed_over, **location.options} == parameters


def test_prepared_statements_are_an_option_that_no_driver_sees() -> None:
    assert locate("postgresql://h/fleet").prepared_statements is None
    for value, is_on in (("on", True), ("OFF", False)):
        location = locate(f"postgresql://h/fleet?sslmode=require&prepared_statements={value}")
        assert (location.prepared_statements, location.options) == (is_on, {"sslmode": "require"})
        assert str(location).endswith(f"/fleet?prepared_statements={value.lower()}&sslmode=require")


def test_a_server_is_reached_by_every_spelling_of_its_directory(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        Catalog.create(url).close()
        before, _, directory = url.partition("/?host=" if "/?host=" in url else "?host=")
        database = before.rpartition("/")[2]
        encoded = quote(directory, safe="")
        for spelling in (
            f"postgresql://postgres@{encoded}/{database}",
            f"postgresql://postgres@{encoded},127.0.0.1:1/{database}",
            f"postgresql://postgres@127.0.0.1:1,{encoded}:5432/{database}",
            f"postgres:///{database}?host={directory}&user=postgres",
            f"\ufeff '{url}'\r\n",
        ):
            with Catalog.open(spelling) as catalog:
                assert catalog.list_names() == []


@pytest.mark.parametrize("shape", ["{}\n", " {}\r\n", "\ufeff{}", "\t{} "])
def test_what_stands_around_a_location_is_no_part_of_it(
    shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, shape.format(tmp_path / "fleet.db"))
    assert locate().path == tmp_path / "fleet.db"
    assert locate(shape.format(tmp_path / "fleet.db")).path == tmp_path / "fleet.db"
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, shape.format(""))
    assert locate().path == default_path()
    for quotes in ("{}", "'{}'", '"{}"', "<{}>", "`{}`", "“{}”", "' {}\n'"):
        monkeypatch.setenv(ENVIRONMENT_VARIABLE, shape.format(quotes.format("postgresql://ada:x@db.example/fleet")))
        assert str(locate()) == "postgresql+psycopg://ada:***@db.example/fleet"


def test_what_is_given_counts_before_the_environment_and_that_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert locate().path == default_path() == tmp_path / "data" / "openg2g" / "catalog.db"
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "environment.db"))
    assert locate().path == tmp_path / "environment.db"
    assert locate(tmp_path / "given.db").path == tmp_path / "given.db"
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "")
    assert locate().path == default_path()
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "postgresql://db.example/fleet")
    assert str(locate()) == "postgresql+psycopg://db.example/fleet"


def test_the_default_catalog_is_made_with_its_directory_and_no_other_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with pytest.raises(CatalogNotFoundError, match="no catalog at"):
        Catalog.open()
    assert list(tmp_path.iterdir()) == []  # Reading makes nothing.
    with Catalog.create() as catalog:
        catalog.save("fleet", make_workload())
    with Catalog.open() as catalog:
        assert catalog.location == str(tmp_path / "data" / "openg2g" / "catalog.db")
    with pytest.raises(CatalogUnavailableError, match=r"the directory .*elsewhere does not exist\. Create it first"):
        Catalog.create(tmp_path / "elsewhere" / "catalog.db")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "the path or URL of the catalog is empty"),
        (":memory:", "kept in a file or on a server, not in memory"),
        ("sqlite://", "kept in a file or on a server, not in memory"),
        ("sqlite:///:memory:", "kept in a file or on a server, not in memory"),
        ("sqlite:///x.db?mode=ro", "takes no options"),
        ("sqlite://x.db", "three slashes before a path, four before an absolute one"),
        (b"fleet.db", "the path of a catalog must be text"),
        ("a\0b", "cannot contain a NUL"),
        ("~nobody-of-this-name/x.db", "home"),
        ("mysql://ada@db.example/fleet", r"mysql:// is not supported\. Use a path, sqlite:///PATH or postgresql://"),
        ("http://db.example/fleet", "http:// is not supported"),
        ("postgresql+asyncpg://db.example/fleet", r"postgresql\+asyncpg:// is not supported"),
        (
            "postgresql://db.example:port/fleet",
            r"cannot be read: .* Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
        ("postgresql://db.example:70000/fleet", "a port is a number from 1 to 65535"),
        ("postgresql://a:b/c@db.example/fleet", "and a / as %2F"),
        ("postgresql://ada@db.example/fl eet", "white space, which is written %20"),
        ("postgresql://ada@db.example/%FF", "not UTF-8"),
        ("postgresql://ada@db.example/a%00b", "a NUL character"),
        ("postgresql://ada@[::1/fleet", "IPv6 addresses stand in"),
        ("postgresql://ada@a%20b/fleet", "a host is a name, an address, or a directory"),
        ("postgresql://h1,h2,h3/fleet?port=1,2", "the numbers of hosts and ports differ"),
        ("postgresql://h/fleet?sslmode", r"an option has no value: write OPTION=VALUE"),
        ("postgresql://h/fleet?sslmode=a&sslmode=b", "the option 'sslmode' is given more than once"),
        ("postgresql://h/fleet?sslmod=require", r"'sslmod', which is not an option .* Did you mean sslmode"),
        ("postgresql://h/fleet?autocommit=on", r"'autocommit', which is not an option .* Known: application_name, "),
        ("postgresql://h/fleet?prepare_threshold=0", "'prepare_threshold', which is not an option"),
        ("postgresql://h/fleet?prepared_statement=off", r"Did you mean prepared_statements\?"),
        ("postgresql://h/fleet?prepared_statements=maybe", "prepared_statements of the URL is on or off"),
        ("'fleet.db'", r"is in quotes \('fleet\.db'\)\. Write it without them"),
        ("service=fleet", "a connection string is no URL"),
        ("postgresql://a:b@c@db.example/fleet", r"more than one @.*\. Write an @ of the password as %40"),
    ],
)
def test_what_names_no_database_is_refused_with_what_to_write(given: Any, message: str) -> None:
    for use in (locate, Catalog.open, Catalog.create):
        with pytest.raises(LocationError, match=message) as caught:
            use(given)
        assert isinstance(caught.value, ValueError)


def test_a_missing_driver_is_named_with_the_command_that_installs_it() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from openg2g.catalog import Catalog, LocationError\n"
        "try: Catalog.open('postgresql://db.example/fleet')\n"
        "except LocationError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == (
        "PostgreSQL needs the driver psycopg: pip install 'openg2g-catalog[postgres]'.\n",
        "",
    )


@pytest.fixture(scope="module")
def guarded_url(postgres: PostgresServer) -> Iterator[str]:
    """Give the place of a catalog that its role may open with its password only."""
    postgres.require_password("guarded", SECRET)
    with postgres.database() as url:
        Catalog.create(url).close()
        yield url.replace("postgres:@", f"guarded:{SECRET}@")


@pytest.fixture
def everything_shown(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[object], str]:
    """Give a function that collects all that anybody might read about an object or error: texts, logs, output."""

    def collect(shown: object) -> str:
        texts = [str(shown), repr(shown)]
        if isinstance(shown, BaseException):
            texts += [str(vars(shown)), *traceback.format_exception(shown)]  # The errors that caused it included.
        captured = capfd.readouterr()
        return "\n".join([*texts, caplog.text, captured.out, captured.err])

    caplog.set_level(logging.DEBUG)
    return collect


def test_the_right_password_opens_the_catalog_and_is_not_shown(
    guarded_url: str, everything_shown: Callable[[object], str]
) -> None:
    with Catalog.open(guarded_url) as catalog:
        assert catalog.save("fleet", make_workload()).is_new
        with pytest.raises(LookupError) as caught:
            catalog.load("nobody")
        for shown in (catalog, catalog.location, catalog.database.engine, caught.value, locate(guarded_url)):
            assert SECRET not in everything_shown(shown)


@pytest.mark.parametrize("options", [f"password={SECRET}", f"sslpassword={SECRET}", f"options=-c%20a%3D{SECRET}"])
def test_a_secret_among_the_options_is_not_shown(options: str, everything_shown: Callable[[object], str]) -> None:
    location = locate(f"postgresql://ada@127.0.0.1:1/fleet?{options}")
    for shown in (location, location.url, Database(location).engine):
        assert SECRET not in everything_shown(shown)


@pytest.mark.parametrize(
    ("replaced", "replacement", "message"),
    [
        (f":{SECRET}@", f":{SECRET}-wrong@", "the server refused the user name or password"),
        (f":{SECRET}@", f":%40{SECRET}@", "the server refused the user name or password"),
        (f":{SECRET}@", ":@", "the server refused the user name or password"),
        ("guarded:", "nobody-of-this-name:", "does not exist"),
        ("?host=", f"?password={SECRET}-wrong&host=", "the server refused the user name or password"),
        ("?host=", f"-missing?sslpassword={SECRET}&host=", "does not exist"),
        ("?host=", "?host=/nowhere", "cannot be reached"),
    ],
)
def test_no_failure_to_connect_shows_the_password(
    guarded_url: str, everything_shown: Callable[[object], str], replaced: str, replacement: str, message: str
) -> None:
    url = guarded_url.replace(replaced, replacement, 1)
    for use in (Catalog.open, Catalog.create):
        with pytest.raises(CatalogUnavailableError, match=message) as caught:
            use(url)
        assert SECRET not in everything_shown(caught.value)
    assert SECRET not in everything_shown(locate(url))


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ada:{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada:a/b@{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada:a?b@{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada:a#b@{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://127.0.0.1:1/fleet?user=ada&PASSWORD={SECRET}",
        f"postgresql:/ada:{SECRET}@127.0.0.1/fleet",
        f"host=127.0.0.1 port=1 user=ada password={SECRET}",
        f"Host=127.0.0.1;Username=ada;Password={SECRET}",
        f"DATABASE_URL=postgresql://ada:{SECRET}@127.0.0.1:1/fleet",
        f"export DATABASE_URL='postgresql://ada:{SECRET}@127.0.0.1:1/fleet'",
        f"psql postgresql://ada:{SECRET}@127.0.0.1:1/fleet",
        f"psql 'host=127.0.0.1 password={SECRET}'",
        f"jdbc:postgresql://127.0.0.1:1/fleet?user=ada&password={SECRET}",
        f"A=b\nDATABASE_URL=postgresql://ada:{SECRET}@127.0.0.1:1/fleet\n",
        f"'postgresql://ada:{SECRET}@127.0.0.1:1/fleet'",
        f'"postgresql://ada:{SECRET}@127.0.0.1:1/fleet',
        f"\ufeffpostgresql://ada:{SECRET}@127.0.0.1:1/fleet",
        f"[fleet](postgresql://ada:{SECRET}@127.0.0.1:1/fleet)",
        f"POSTGRESQL://ada:{SECRET}@127.0.0.1:1/fleet",
        f"postgresql+psycopg2://ada:{SECRET}@127.0.0.1:1/fleet",
        f"postgresql//ada:{SECRET}@127.0.0.1:1/fleet",
        f"ada:{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada:my {SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada:@127.0.0.1:1/fleet?{SECRET}",
        f"postgresql://ada:@127.0.0.1:1/fleet?{SECRET}=1",
        f"postgresql://ada:@127.0.0.1:1/fleet?sslmode={SECRET}%00",
        f"postgresql://ada:12/{SECRET}@127.0.0.1:1/fleet",
        f"sqlite://ada:{SECRET}@/catalog.db",
        f"postgres://ada:%40{SECRET}%2F@127.0.0.1:1/fleet",
        f"postgresql://127.0.0.1:1/fleet?user=ada&password={SECRET}",
        f"postgresql://ada:a@127.0.0.1:1/fleet?password={SECRET}&connect_timeout=1",
        f"postgresql://ada:x@{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada:{SECRET}@127.0.0.1:port/fleet",
        f"postgresql://ada:{SECRET}@127.0.0.1:99999/fleet",
        f"postgresql://ada:{SECRET}@[::1/fleet",
        f"postgresql://ada:{SECRET}/tail@127.0.0.1:1/fleet",
        f"postgresql://ada:head/{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada:head#{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada:head?{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada:{SECRET}@127.0.0.1:1/fleet?nonsense=1",
        f"postgresql://ada:{SECRET}@127.0.0.1:1/fleet?connect_timeout=soon",
        f"mysql://ada:{SECRET}@127.0.0.1/fleet",
        f"sqlite:///catalog.db?password={SECRET}",
        f"postgresql;//ada:{SECRET}@127.0.0.1:1/fleet",
        f"postgresql：//ada:{SECRET}@127.0.0.1:1/fleet",
        f"postgresql/ada:{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada;{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://ada%3A{SECRET}@127.0.0.1:1/fleet",
        f"postgresql://127.0.0.1:1/fleet&password={SECRET}",
        f"postgresql://127.0.0.1:1&password={SECRET}",
        f"postgresql://127.0.0.1:1/fleet%26password%3D{SECRET}",
        f"fleet?pass={SECRET}",
        f"{{password: {SECRET}}}",
    ],
)
def test_no_error_about_a_url_shows_its_password(url: str, everything_shown: Callable[[object], str]) -> None:
    for use in (Catalog.open, Catalog.create):
        with pytest.raises(CatalogError) as caught:
            use(url)
        assert SECRET not in everything_shown(caught.value)
