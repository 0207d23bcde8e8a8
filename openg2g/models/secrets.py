"""Passwords in texts: masked before anybody reads them, in whatever shape they were written."""

import re
import reprlib
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

from openg2g.models.characters import is_hidden
from openg2g.models.spec import is_unprintable

MASK = "***"
"""What is shown instead of a secret."""

SHOWN_OPTIONS = frozenset(
    {"application_name", "connect_timeout", "dbname", "host", "hostaddr", "port", "service", "sslmode", "user"}
    | {"target_session_attrs", "prepared_statements"}
)
"""Options of a URL whose values are shown; any other may hold a secret."""

_HINT = re.compile(r"[/\\@]|pass|pw|secret|token|key", re.IGNORECASE)  # Texts without any of these hold no secret.
_PIECE = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`[^`\n]*`|[^\s'\"`]+(?:['\"][^\s'\"`]+)*")
_URL = re.compile(  # With or without its scheme and colon, as far as the slashes say what is meant.
    r"(?:(?<![A-Za-z0-9+.-])(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{1,40}))?"
    r"(?P<between>\s{0,3}[^\w\s/\\'\"]{0,2}\s{0,3}(?://|\\\\)[/\\]?|(?(scheme):[/\\]|(?!)))(?P<rest>.*)",
    re.DOTALL,
)
_LITERAL = re.compile(r"[\s=(\[,]['\"]")
_WITH_USER = re.compile(r"sql|postgres|ssh|git", re.IGNORECASE)  # In a URL of these, what has no colon is a user.
_PLAIN_USER = re.compile(r"[\w.+$%-]*")
_PORT = r"\d{1,5}(?:[/?,:)\]}'\".\s]|$)"
_AUTHORITY = re.compile(rf"(?P<user>[^/:@\s\[]*):(?!PASSWORD$)(?!{_PORT})(?P<password>[^/\\].*)", re.DOTALL)
_NEXT_KEY = r"\s{0,4}[\w.-]{1,40}\s{0,4}="
_OPTION = re.compile(rf"[?&;]\s{{0,4}}(?P<key>[\w.-]+)\s{{0,4}}=(?P<value>(?:[^&;]|[&;](?!{_NEXT_KEY}))*)")
_SPACED_URL = re.compile(
    r"(?<![A-Za-z0-9+.-])(?P<start>[A-Za-z][A-Za-z0-9+.-]{1,40}:/{1,3}(?:\s{1,3}[^\s/:@\['\"]*\s{0,3}|[^\s/:@\['\"]*):)"
    rf"(?!PASSWORD@|\*\*\*@|{_PORT})(?P<password>[^\n'\"]{{0,200}})(?=@)"
)
_KEY = r"(?:password|passwd|passphrase|pwd|passfile|secret|api[_-]?key|access[_-]?token)\w{0,20}"
_SETTING = re.compile(
    rf"(?P<key>(?:{_KEY}|(?<![^\W_])(?:pass|pw)|(?:^|[\s;,\"'(])options)\s{{0,4}}=\s{{0,4}}"
    rf"|{_KEY}['\"]\s{{0,4}}:\s{{0,4}}(?=['\"])|{_KEY}:\s{{0,4}}(?=\S)"
    r"|pass\w{0,5}\.\.\.)"  # Cut in the middle, as `reprlib` does.
    r"(?P<value>'[^'\n]*$|\"[^\"\n]*$"  # A quote that is never closed.
    r"|(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")+\w*"
    rf"|(?:[^\s&;,'\"]|[&;,](?=\S)(?!{_NEXT_KEY})|['\"](?=[^\s&;,'\"]))+)",
    re.IGNORECASE | re.MULTILINE,
)
_DELIMITERS = r"\s:/\\'\"@()<>\[\]{}|,;=&?"
_HOST = r"(?=[^\W\d]|[\[/%*]|\d+\.|['\"]?\s*$)"
_LOGIN = re.compile(  # USER:PASSWORD@HOST, but no digest, and no number or time behind the @.
    rf"(?<![^{_DELIMITERS}*`“”‘’«»])(?!sha256:[0-9a-fA-F]{{4,64}}@)(?!\d{{4}}-\d\d-)[^{_DELIMITERS}]{{0,100}}+:"
    r"(?!PASSWORD@|\*\*\*@)"
    r"(?P<password>(?:'[^'@\n]*'|\"[^\"@\n]*\"|[^\s'\"/\\@](?:[^'\"@]|(?<=\w)['\"](?=\w)){0,200}+)"
    rf"(?:@[^\s'\"@]{{0,200}}+){{0,9}})@{_HOST}"
)
_WHOLE_LOGIN = re.compile(rf"\s*(?!sha256:)[\w.+$%-]{{1,100}}:(?P<password>[^\s/\\]\S{{0,200}})@{_HOST}\S*\s*")
_CLOSING = "'\")].,:"
_REPEATED = 4  # A secret of so many characters is masked wherever it stands again, without what gave it away.
_WITHIN_WORDS = 6  # A longer one also within a word: a tab before it may be shown as \t.
_MAX_REPEATED = 100  # Secrets that are looked for again: an endless list of them shall not take endless time.
_DECODINGS = 3


def without_secrets(text: str, given: Iterable[str] = ()) -> str:
    """Mask whatever in a text looks like a secret: of URLs, connection strings, and settings such as `PGPASSWORD=…`.

    What its user wrote, arguments for instance, is `given`: the text may quote it whole or in part.

    Example:
        >>> without_secrets("invalid reference 'DATABASE_URL=postgresql://ada:hunter2@db.example/fleet'")
        "invalid reference 'DATABASE_URL=postgresql://ada:***@db.example/fleet'"
    """
    text = _without_parts_of(text, given)
    if not _HINT.search(plain(text)):
        return text
    found: list[str] = []
    masked = _SPACED_URL.sub(lambda match: match["start"] + _noted(match["password"], found), text)
    masked = _SETTING.sub(lambda match: _masked_setting(match, found), masked)
    masked = _PIECE.sub(lambda match: _masked_piece(match[0], found), masked)
    return _without(masked, found)


def masked_value(text: str) -> str:
    """Mask what looks like a secret in a text that is one value: a URL in it may contain white space."""
    found: list[str] = []
    return _without(_masked(text, found), found)


def plain(text: str) -> str:
    """Return a text as it reads: `%XX` decoded, full-width letters and signs as ASCII, without what nobody sees."""
    for _ in range(_DECODINGS):
        if "%" not in text:
            break
        text = unquote(text)
    if text.isascii() and text.isprintable():
        return text
    normal = unicodedata.normalize("NFKC", text)
    return "".join(character for character in normal if not is_hidden(character) and not is_unprintable(character))


def _without_parts_of(text: str, given: Iterable[str]) -> str:
    """Mask the secrets of what a user gave, of which a text may quote any part."""
    secrets: list[str] = []
    for value in given:
        found: list[str] = []
        masked = _without(_masked(value, found), found)
        if masked != value:
            for shown in (value, repr(value)[1:-1], reprlib.repr(value)[1:-1]):
                text = text.replace(shown, masked)
            secrets += found
            secrets += (part for secret in found for part in re.split(r"[\W_]+", secret))
    return _without(text, secrets)


def _masked_piece(piece: str, found: list[str]) -> str:
    """Mask what is secret in a quoted text, or in one without white space."""
    if len(piece) > 1 and piece[0] == piece[-1] and piece[0] in "'\"`":
        return piece[0] + _masked(piece[1:-1], found) + piece[-1]
    return _masked(piece, found)


def _masked(value: str, found: list[str]) -> str:
    """Mask what is secret in one value, or in what it reads as."""
    masked = _masked_as_written(value, found)
    read = plain(value)
    if read != value:
        masked_read = _masked_as_written(read, found)
        masked = masked if masked_read == read else masked_read
    return masked


def _masked_as_written(value: str, found: list[str]) -> str:
    masked = _SETTING.sub(lambda match: _masked_setting(match, found), value)
    url = _URL.search(masked)
    if url is not None:
        masked = masked[: url.start("rest")] + _masked_rest(url, found)
    if "@" not in masked:
        return masked
    login = _WHOLE_LOGIN.fullmatch(masked)
    if login is not None and login["password"] not in ("PASSWORD", MASK):
        masked = masked[: login.start("password")] + _noted(login["password"], found) + masked[login.end("password") :]
    return _LOGIN.sub(lambda match: match[0].replace(match["password"], _noted(match["password"], found)), masked)


def _masked_rest(url: re.Match[str], found: list[str]) -> str:
    """Mask what is secret behind the slashes of a URL."""
    rest = _OPTION.sub(lambda option: _masked_option(option, found), url["rest"])
    login, at, place = rest.rpartition("@")
    if at and not url["between"].strip("/\\ ") and _LITERAL.search(login):
        return rest  # A division in an expression.
    if at:
        return _masked_login(login, url["scheme"] or "", url["between"], found) + at + place
    authority = _AUTHORITY.match(rest) if url["scheme"] else None
    if authority is None:
        return rest
    password = authority["password"].rstrip(_CLOSING)
    return f"{authority['user']}:{_noted(password, found)}{authority['password'].removeprefix(password)}"


def _masked_login(login: str, scheme: str, between: str, found: list[str]) -> str:
    """Mask what stands before the @ of a URL, but for a plain user name."""
    user, colon, password = login.partition(":")
    is_port = scheme.lower().startswith("http") and re.match(r"\d{1,5}/", password)
    if login.endswith(f":{MASK}") or password == "PASSWORD" or is_port:
        return login
    if colon and _PLAIN_USER.fullmatch(user.strip()):
        return f"{user}:{_noted(password, found)}"
    is_path = not colon and re.search(r"[/\\]", login) and "postgres" not in scheme.lower()
    is_cut = "..." in login or "…" in login
    is_token = ":" in between and not _WITH_USER.search(scheme)  # https://TOKEN@github.com, or USER:/PASSWORD@HOST
    is_user = _PLAIN_USER.fullmatch(login.strip()) and not is_token
    return login if (is_path or is_user) and not is_cut else _noted(login, found)


def _masked_setting(setting: re.Match[str], found: list[str]) -> str:
    value = setting["value"].rstrip(_CLOSING) if setting["value"][0] not in "'\"" else setting["value"]
    return f"{setting['key']}{_noted(value, found)}{setting['value'].removeprefix(value)}" if value else setting[0]


def _masked_option(option: re.Match[str], found: list[str]) -> str:
    if option["key"] in SHOWN_OPTIONS or not option["value"]:
        return option[0]
    value = option["value"].rstrip(_CLOSING)
    return option[0].replace(value, _noted(value, found)) if value else option[0]


def _noted(secret: str, found: list[str]) -> str:
    found.append(secret.strip("'\" \t\r\n"))
    return MASK


def _without(text: str, secrets: list[str]) -> str:
    for secret in sorted(set(secrets), key=len, reverse=True)[:_MAX_REPEATED]:
        if len(secret) >= _REPEATED and secret != MASK:
            is_long = len(secret) > _WITHIN_WORDS
            text = re.sub(re.escape(secret) if is_long else rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)
    return text
