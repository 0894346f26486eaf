"""Whether a value that stands where a secret would stand is one: entropy, words, placeholders."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import re2

# The pairs of letters that English and names in programs are mostly made of; chance meets a fifth of them.
_PAIRS = frozenset(
    word
    for line in (
        "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de",
        "hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr",
        "ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su",
        "id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab ty op sa ay ex ke fr oo ag if ap gr od bo sp rd",
        "do uc bu ov rm ep fa sc da cr cl",
    )
    for word in line.split()
)


def _any(*alternatives: str) -> Any:
    """Return one expression for several; of RE2, because the values are anybody's."""
    return re2.compile(f"(?i)(?:{'|'.join(alternatives)})")


_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_PLACEHOLDER = _any(
    r"(?:your|my|the|some|any|insert|enter|put|replace|change|add|paste)[\s_-]*"
    r"(?:own|api|secret|token|key|pass|client|access|auth|me|here|this|with|actual|real|in)",
    r"example|placeholder|redacted|removed|dummy|sample|fake|mock|changeme|lorem|(?:deadbeef){2}|foobar",
    r"x{4,}|\*{3,}|\.{3}|…|-{4,}|_{4,}|\#{4,}|0{10,}|(?:abc){2,}",
    r"test[_-]?(?:token|key|secret|pass|api)|not[_-]?(?:a|real)\b",
    r"^(?:test|todo|tbd|none|null|nil|undefined|true|false|string|unknown|empty|default)$",
)
_SHOWN = _any(
    r"deadbeefcafe|example|placeholder|redacted|your[_-]|x{5,}|\*{3,}|\.{3}|…|0{12,}|changeme|^\$(?:[({]|[a-z_]\w*(?:[^\w$]|$))|^<"
)
_CODE = _any(
    r"^\$\w|\$[({]|\$(?-i:[A-Z_]{2,}|[a-z_]{3,})\b|\{\{|%[({A-Z]|^%[sdr]$|^<.*>$|^\[.*\]$|^\{.*\}$|^@|::|->|=>|\(\)|[\w\]]\(|^&\w|\#\{",
    r"^(?:os|process|self|this|config|cfg|settings|env|req|res|request|ctx|args|options|opts|props|params|data|state|user"
    r"|import|window|document|std|system|math|json|secrets|vars|var|local|module|cls|app|event|[a-z])(?:\??\.[a-z]|\[)",
    r"^[a-z_][\w.]*\[",
    r"^(?:await|new|return|typeof|function|def|lambda|import|from|const|let)\b",
)
_PLACE = _any(
    r"^(?:\.{0,2}/|~/|[a-z]:[\\/]|file:|https?:|ssh:|git@|data:|sha\d+[:-]|npm:|urn:|arn:|s3:|[\w.-]+@[\w-]+\.\w)"
)
_STRUCTURE = _any(
    r"^v?\d+(?:\.\d+)+(?:[-+.]?[\w.]+)?$|^\d{4}-\d\d-\d\d|^\d+(?:\.\d+)?(?:px|em|rem|ms|s|kb|mb|gb|%)?$|^\#[0-9a-f]{3,8}$",
    r"^(?:toolu|call|msg|req|resp|rs|fc|run|thread|step|chatcmpl|session|ses|prt|tool|gen|cmpl|asst|file|vs|evt|batch"
    r"|chat|item|srvtoolu|compl|user|usr|prj|proj)[_-][\w-]*$",
    r"^[a-z]+\d*(?:[-.][a-z0-9]{1,9})*-\d{4}-?\d\d-?\d\d$",
    r"^(?:utf|iso|sha|md|aes|rsa|hmac|base|ed|ecdsa|hs|rs|es|ps|win|ipv|http|text|int|float|uint)[-_]?\d+[a-z_-]*$",
    r"^[\w.-]+:[\w.-]+:[\w.-]+$|^[\w.-]+:\d+(?:\.\d+)+[\w.-]*$",
    r"^[\w-]+\.(?:py|js|ts|tsx|jsx|json|md|go|rs|toml|ya?ml|html?|css|txt|png|svg|sh|sql|c|h|cpp|java|rb|php|lock|pem|key|env)$",
)
_NAME = _any(r"^(?:[a-z]+\d{0,2}[_.-])+[a-z]+\d{0,2}$|^(?-i:[a-z]+(?:[A-Z][a-z]+)+\d{0,3})$")
_HEX = re.compile(r"^(?:0x)?[0-9a-fA-F]+$")
_UUID = re.compile(r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$")
_WEAK_PASSWORDS = frozenset(
    word
    for line in (
        "password passwd pass pwd secret token key user username postgres root admin mysql guest test testing tester",
        "example default changeme letmein qwerty welcome login none null true false string required optional hidden",
        "value text redis rabbitmq mongo minio docker oauth2 x-oauth-basic git oauth api apikey yyy bar foo baz me pw",
        "mypassword userpass user_password dbpassword secretpassword yourpassword admin123 test123 test1234 pass123",
        "password1 password123 passw0rd secret123 hunter2 abc123 123456 12345678 1234 12345 testpass testpassword",
    )
    for word in line.split()
)


def entropy(text: str) -> float:
    """Return Shannon's entropy in bits per character."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values()) if size else 0.0


def is_placeholder(value: str) -> bool:
    """Whether ``value`` only shows where a secret would stand: ``your-api-key``, ``xxxx``, ``$VAR``, ``<token>``."""
    return _is_shown(value) or (len(value) < 120 and bool(_PLACEHOLDER.search(value)))


def _is_shown(value: str) -> bool:
    """Whether not even a vendor's prefix makes ``value`` a secret."""
    if len(set(value.strip("-_=.")) - {"-", "_"}) < 4:
        return True
    return len(value) < 300 and bool(_SHOWN.search(value))


def wordiness(value: str) -> float:
    """Return which share of the pairs of letters is common in English; 1 for no pairs at all is never returned."""
    pairs = [word[place : place + 2].lower() for word in _WORDS.findall(value) for place in range(len(word) - 1)]
    return sum(pair in _PAIRS for pair in pairs) / len(pairs) if pairs else 0.0


def is_uuid(value: str) -> bool:
    """Whether ``value`` is written as a UUID."""
    return bool(_UUID.match(value))


def is_hex(value: str) -> bool:
    """Whether ``value`` is hexadecimal."""
    return bool(_HEX.match(value))


def is_code(value: str) -> bool:
    """Whether ``value`` is an expression, a path, a version, an identifier or a well-known kind of id."""
    if _CODE.search(value) or _PLACE.match(value) or _STRUCTURE.match(value):
        return True
    return bool(_NAME.match(value)) and wordiness(value) > 0.5


def is_opaque(value: str, *, least: int = 16, is_trusted: bool = False) -> bool:
    """Whether ``value`` looks drawn by chance: long enough, letters and digits, no words.

    With ``is_trusted`` what stands around it says already that it is a secret.
    """
    if len(value) < least or is_placeholder(value) or is_code(value):
        return False
    if is_trusted and any(map(str.isdigit, value)):
        return entropy(value) >= 2.5 and (is_hex(value) or is_uuid(value) or wordiness(value) < 0.75)
    if is_uuid(value):
        return entropy(value) >= 2.5
    digits = sum(letter.isdigit() for letter in value)
    letters = sum(letter.isalpha() for letter in value)
    if is_hex(value):
        return digits >= 2 and letters >= 1 and entropy(value) >= 2.6
    return letters > 0 and entropy(value) >= 2.6 and _is_mixed(value, digits)


def _is_mixed(value: str, digits: int) -> bool:
    if not digits:
        return len(value) >= 20 and not value.islower() and not value.isupper() and wordiness(value) < 0.4
    limit = 0.6 if digits * 12 >= len(value) else 0.5
    return wordiness(value) <= limit


def kinds_of(value: str) -> int:
    """Return of how many kinds its characters are: small letters, capitals, digits, signs."""
    return (
        any(map(str.islower, value))
        + any(map(str.isupper, value))
        + any(map(str.isdigit, value))
        + any(not letter.isalnum() for letter in value)
    )


def is_password(value: str, *, least: int = 6) -> bool:
    """Whether ``value`` could be a password that somebody chose, and no common example of one."""
    if len(value) < least or value.lower() in _WEAK_PASSWORDS or is_placeholder(value) or is_code(value):
        return False
    kinds = kinds_of(value)
    if value.isalpha():
        return kinds >= 2 and len(value) >= 10 and wordiness(value) < 0.5
    return kinds >= 2


def _pair(value: str) -> str:
    """Return the password of a base64 ``user:password``; empty if it is none."""
    try:
        user, colon, password = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password if colon and user.isprintable() and password.isprintable() else ""


def _is_base64_pair(value: str) -> bool:
    password = _pair(value)
    return bool(password) and password.lower() not in _WEAK_PASSWORDS and not is_placeholder(password)


def _is_bearer(value: str) -> bool:
    return is_opaque(value, least=12) or _is_base64_pair(value)


def _is_url_password(value: str) -> bool:
    if value.lower() in _WEAK_PASSWORDS or is_placeholder(value) or value[:1] in "$<{[%(@":
        return False
    return len(value) >= 4 and not (value.islower() and wordiness(value) > 0.5 and value.isalpha())


def _is_mixed_key(value: str) -> bool:
    return is_opaque(value, least=10, is_trusted=True)


def _is_cookie(value: str) -> bool:
    pairs = [part.partition("=")[2].strip() for part in value.split(";")]
    return any(is_opaque(part) for part in pairs)


def _is_plain(value: str) -> bool:
    return not _is_shown(value)


def _is_base64_text(value: str) -> bool:
    if is_placeholder(value):
        return False
    try:
        return len(base64.b64decode(value + "=" * (-len(value) % 4), validate=True)) >= 4
    except binascii.Error:
        return False


JUDGES: dict[str, Callable[[str], bool]] = {
    "plain": _is_plain,
    "mixed": _is_mixed_key,
    "opaque": is_opaque,
    "password": is_password,
    "url-password": _is_url_password,
    "bearer": _is_bearer,
    "base64-pair": _is_base64_pair,
    "base64": _is_base64_text,
    "cookie": _is_cookie,
}
