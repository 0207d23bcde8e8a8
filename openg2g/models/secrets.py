"""Passwords in texts: masked before anybody reads them, in whatever shape they were written."""

import re

MASK = "***"
"""What is shown instead of a secret."""

SHOWN_OPTIONS = frozenset(
    {"application_name", "connect_timeout", "dbname", "host", "hostaddr", "port", "service", "sslmode", "user"}
    | {"target_session_attrs"}
)
"""Options of a URL whose values are shown; any other may hold a secret."""

_HINT = re.compile(r":/|@|pass|pwd|secret|token|key", re.IGNORECASE)  # Texts without any of these hold no secret.
_PIECE = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`[^`\n]*`|[^\s'\"`]+(?:['\"][^\s'\"`]+)*")
_URL = re.compile(r"(?<![A-Za-z0-9+.-])(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{1,40}):/{1,3}(?P<rest>.*)", re.DOTALL)
_AUTHORITY = re.compile(
    r"(?P<user>[^/:@\s\[]*):(?!PASSWORD$)(?!\d{1,5}(?:[/?,:)\]}'\".]|$))(?P<password>[^/\\].*)", re.DOTALL
)
_OPTION = re.compile(r"[?&;](?P<key>\w+)=(?P<value>[^&;]*)")
_SPACED_URL = re.compile(
    r"(?<![A-Za-z0-9+.-])(?P<start>[A-Za-z][A-Za-z0-9+.-]{1,40}:/{1,3}[^\s/:@\['\"]*:)"
    r"(?!PASSWORD@|\*\*\*@|\d{1,5}(?:[/?,:)\]}'\".\s]|$))(?P<password>[^\n'\"]{0,200})(?=@)"
)
_KEY = r"(?:password|passwd|passphrase|pwd|passfile|secret|api[_-]?key|access[_-]?token)\w{0,20}"
_SETTING = re.compile(
    rf"(?P<key>(?:{_KEY}|(?:^|[\s;,\"'(])options)\s{{0,4}}=\s{{0,4}}|{_KEY}['\"]\s{{0,4}}:\s{{0,4}}(?=['\"])"
    r"|pass\w{0,5}\.\.\.)"  # Cut in the middle, as `reprlib` does.
    r"""(?P<value>'(?:[^'\\]|\\.)+'|"(?:[^"\\]|\\.)+"|[^\s&;,'"]+(?:['"][^\s&;,'"]+)*)""",
    re.IGNORECASE,
)
_LOGIN = re.compile(
    r"(?<![^\s'\"(,;=])[^\s:/'\"@()]{1,100}:(?!PASSWORD@)(?P<password>[^\s'\"/@][^'\"@]{0,200})@(?=[A-Za-z\[]|\d+\.)"
)
_CLOSING = "'\")].,:"
_REPEATED = 4  # A secret of so many characters is masked wherever it stands again, without what gave it away.
_MAX_REPEATED = 20  # Secrets that are looked for again: an endless list of them shall not take endless time.


def without_secrets(text: str) -> str:
    """Mask whatever in a text looks like a secret: of URLs, connection strings, and settings such as `PGPASSWORD=…`.

    Example:
        >>> without_secrets("invalid reference 'DATABASE_URL=postgresql://ada:hunter2@db.example/fleet'")
        "invalid reference 'DATABASE_URL=postgresql://ada:***@db.example/fleet'"
    """
    if not _HINT.search(text):
        return text
    found: list[str] = []
    masked = _SPACED_URL.sub(lambda match: match["start"] + _noted(match["password"], found), text)
    masked = _SETTING.sub(lambda match: _masked_setting(match, found), masked)
    masked = _PIECE.sub(lambda match: _masked_piece(match[0], found), masked)
    return _without(masked, found)


def masked_value(text: str) -> str:
    """Mask what looks like a secret in a text that is one value: a URL in it may contain white space."""
    found: list[str] = []
    masked = _SETTING.sub(lambda match: _masked_setting(match, found), text)
    return _without(_masked_piece(masked, found), found)


def _masked_piece(piece: str, found: list[str]) -> str:
    """Mask what is secret in a quoted text, or in one without white space."""
    url = _URL.search(piece)
    if url is None:
        return _LOGIN.sub(lambda match: match[0].replace(match["password"], _noted(match["password"], found)), piece)
    rest = _OPTION.sub(lambda option: _masked_option(option, found), url["rest"])
    login, at, place = rest.rpartition("@")
    if not at:
        login, place = rest, ""
    return piece[: url.start("rest")] + _masked_login(login, at, url["scheme"], found) + at + place


def _masked_login(login: str, at: str, scheme: str, found: list[str]) -> str:
    """Mask the password in what stands before the @ of a URL, or in all of it where there is none."""
    authority = _AUTHORITY.match(login)
    if authority is not None:
        password = authority["password"] if at else authority["password"].rstrip(_CLOSING)
        return f"{authority['user']}:{_noted(password, found)}{authority['password'].removeprefix(password)}"
    is_cut = "..." in login or "…" in login
    is_token = scheme.lower().startswith("http") and "/" not in login  # https://TOKEN@github.com
    return _noted(login, found) if at and (is_cut or is_token) else login


def _masked_setting(setting: re.Match[str], found: list[str]) -> str:
    value = setting["value"].rstrip(_CLOSING) if setting["value"][0] not in "'\"" else setting["value"]
    return f"{setting['key']}{_noted(value, found)}{setting['value'].removeprefix(value)}" if value else setting[0]


def _masked_option(option: re.Match[str], found: list[str]) -> str:
    if option["key"] in SHOWN_OPTIONS or not option["value"]:
        return option[0]
    value = option["value"].rstrip(_CLOSING)
    return option[0].replace(value, _noted(value, found)) if value else option[0]


def _noted(secret: str, found: list[str]) -> str:
    found.append(secret.strip("'\""))
    return MASK


def _without(text: str, secrets: list[str]) -> str:
    for secret in sorted(set(secrets), key=len, reverse=True)[:_MAX_REPEATED]:
        if len(secret) >= _REPEATED and secret != MASK:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", MASK, text)
    return text
