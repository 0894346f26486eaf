"""What leaves the engine holds no secret, and what is none stays as it was."""

from __future__ import annotations

import base64
import json
import time
import urllib.parse

import pytest
from holdfast_core.redact.engine import Redactor
from holdfast_core.redact.rules import Tier, own_rules

from tests.core.redact.made import github_token, letters

TOKEN = github_token()
PASSWORD = f"Tr0ub{letters('A', 9)}!7"
REDACTOR = Redactor(key=b"key")
HARMLESS = [
    "api_key = 'your-api-key'",
    "API_KEY=xxxxxxxxxxxxxxxxxxxxxxxx",
    "export TOKEN=$GITHUB_TOKEN",
    "token: ${{ secrets.GITHUB_TOKEN }}",
    "Authorization: Bearer <token>",
    "curl -u user:password https://example.com",
    "password = getpass.getpass()",
    "secret = os.environ['CLIENT_SECRET_VALUE_1']",
    'const token = await fetchToken(user.id2, "refresh")',
    "commit 6d2fabeb6add229bc199faba28fd3efb57df0bd3",
    "session 0b9b5db6-fabc-49d0-b68f-13343bb4f708 was resumed",
    '"integrity": "sha512-iAN8kXKDxN5FfDJ2uDLoqT0QJ2jq1k8oV9J1pG6ZL5mC7v5e3o3aQ8m4cM9o8kTQ=="',
    '{"input_tokens": 48213, "cache_read_input_tokens": 1999321, "output_tokens": 77}',
    '"id": "toolu_01A09q90qw90lq917835lq9"',
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "postgres://postgres:postgres@localhost:5432/app",
    "def test_token_is_refreshed_when_expired(self): pass",
    "primaryKey: 'orders_customer_id_idx2'",
    "https://api.test/v1/things?token=$TOKEN&page=2",
    "The password is required and must have 8 characters.",
    "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased-2018')",
    "openai_model = 'gpt-4o-mini-2024-07-18'",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays(text: str):
    assert REDACTOR.text(text) is text


def test_a_placeholder_says_the_kind_and_which_value_and_nothing_else():
    once, again, other = (REDACTOR.text(text) for text in (TOKEN, f"a {TOKEN} b", github_token(2)))

    assert once.startswith("[removed:github-personal-token:") and once in again
    assert other != once
    assert Redactor(key=b"another").text(TOKEN) != once


@pytest.mark.parametrize(
    "text",
    [
        f"postgres://app:{PASSWORD}@db.internal/orders",
        f"redis://:{PASSWORD}@cache:6379/0",
        f"Authorization: Basic {base64.b64encode(f'me:{PASSWORD}'.encode()).decode()}",
        f"curl -u admin:{PASSWORD} https://x.test/",
        f"machine x.test\n  login me\n  password {PASSWORD}",
        f"Server=db;Database=x;Uid=me;Pwd={PASSWORD};",
        f"mysql --password={PASSWORD} -u root",
        f"tool --password {PASSWORD} --verbose",
        f"sshpass -p '{PASSWORD}' ssh host",
        f'password: "{PASSWORD}"',
        f"DB_PASSWORD={PASSWORD}\nDB_USER=me",
        f'{{"smtp": {{"password": "{PASSWORD}"}}}}',
        f'"{{\\"password\\": \\"{PASSWORD}\\"}}"',
        f"echo 'root:{PASSWORD}' | chpasswd",
    ],
)
def test_a_password_is_removed_whatever_it_stands_in(text: str):
    assert PASSWORD not in REDACTOR.text(text)
    assert "[removed:" in REDACTOR.text(text)


@pytest.mark.parametrize(
    "disguised",
    [
        TOKEN.replace("_", "\\u005f"),
        TOKEN.replace("_", "\\x5f"),
        f"\x1b[31m{TOKEN[:9]}\x1b[1;32m{TOKEN[9:]}\x1b[0m",
        f"\\u001b[31m{TOKEN[:9]}\\u001b[0m{TOKEN[9:]}",
        f"{TOKEN[:9]}\u200b{TOKEN[9:]}",
        f"first line\\n{TOKEN}\\nlast line",
        f"\\t{TOKEN}\\r\\n",
        f"https:\\/\\/me:{PASSWORD}@host.test\\/",
    ],
)
def test_no_disguise_hides_a_secret(disguised: str):
    cleaned = REDACTOR.text(f"see {disguised} there")

    assert TOKEN[9:20] not in cleaned and PASSWORD not in cleaned
    assert cleaned.startswith("see ") and cleaned.endswith(" there")


def test_the_rest_of_a_coloured_line_stays():
    assert REDACTOR.text(f"\x1b[1mtoken\x1b[0m \x1b[31m{TOKEN}\x1b[0m.").count("\x1b") == 4


@pytest.mark.parametrize(
    "form",
    [
        lambda value: value,
        lambda value: urllib.parse.quote(value, safe=""),
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: base64.b64encode(f"a{value}".encode()).decode(),
        lambda value: base64.b64encode(f"me:{value}\n".encode()).decode(),
        lambda value: base64.urlsafe_b64encode(f"xyz{value}?".encode()).decode(),
        lambda value: json.dumps(value)[1:-1],
    ],
)
@pytest.mark.parametrize("value", [PASSWORD, 'p"w/7' + letters("A", 8) + "=&"])
def test_the_same_value_is_removed_everywhere(value: str, form):
    quoted = urllib.parse.quote(value, safe="")
    text = f"it says {form(value)} here; DB_URL=postgres://app:{quoted}@db/x password='{value}'"

    cleaned = REDACTOR.text(text)

    assert form(value)[2:-4] not in cleaned
    assert value not in cleaned


def test_a_value_keeps_its_shape():
    value = {"n": 1, "x": [True, None, 1.5, {"k": f"see {TOKEN}"}], TOKEN: "in a key", "t": ("a", "b")}

    cleaned = REDACTOR.value(value)

    assert cleaned["n"] == 1 and cleaned["x"][:3] == [True, None, 1.5] and cleaned["t"] == ("a", "b")
    assert TOKEN not in json.dumps(cleaned)
    assert len(cleaned) == 4


def test_a_value_without_secrets_is_returned_itself():
    value = {"a": ["b", 1]}

    assert REDACTOR.value(value) is value


def test_a_secret_of_one_string_is_removed_from_all():
    cleaned = REDACTOR.value({"title": f"why {PASSWORD} fails", "text": f"DB_PASSWORD={PASSWORD}", PASSWORD: 1})

    assert PASSWORD not in json.dumps(cleaned)


@pytest.mark.parametrize(
    "value",
    [
        {"password": PASSWORD},
        {"env": [{"name": "DB_PASSWORD", "value": PASSWORD}]},
        {"headers": {"x-api-key": letters("h", 32)}},
    ],
)
def test_a_name_makes_its_value_a_secret(value):
    cleaned = json.dumps(REDACTOR.value(value))

    assert "[removed:" in cleaned and PASSWORD not in cleaned


def test_two_keys_that_become_one_keep_both_values():
    colored = f"\x1b[1m{TOKEN}"

    cleaned = REDACTOR.value({TOKEN: 1, f"{TOKEN[:5]}\u200b{TOKEN[5:]}": 2, colored: 3})

    assert sorted(cleaned.values()) == [1, 2, 3]


def test_a_placeholder_is_no_name():
    once = REDACTOR.value({f"$2b$12${letters('A', 53)}": "0000019K"})

    assert list(once.values()) == ["0000019K"]
    assert REDACTOR.value(once) == once


def test_numbers_of_json_stay_numbers():
    text = '{"discord_client_id": 253835025546798775, "asana_token": 1540908570375154, "password": 123456789}'

    assert REDACTOR.text(text) == text


KEY = "\n".join(
    ["-----BEGIN RSA PRIVATE KEY-----", *(letters("B64", 64, n) for n in range(9)), "-----END RSA PRIVATE KEY-----"]
)


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        json.dumps({"key": KEY}),
        json.dumps(json.dumps({"key": KEY})),
        KEY[:300],
        json.dumps({"code": " +\n".join(json.dumps(line + "\n") for line in KEY.split("\n"))}),
        KEY.replace("\n", "\r\n"),
        "> " + KEY.replace("\n", "\n> "),
    ],
)
def test_private_keys_are_removed_whole(text: str):
    cleaned = REDACTOR.text(text)

    assert [n for n in range(4) if letters("B64", 64, n)[:30] in cleaned] == []
    if text.startswith(("{", '"')):
        json.loads(cleaned)


def test_the_tier_decides_what_is_removed():
    text = "GOOGLE_CLIENT=" + letters("d", 12) + "-" + letters("b", 32) + ".apps.googleusercontent.com"

    assert [found.tier for found in REDACTOR.scan(text)] == [Tier.POSSIBLE]
    assert REDACTOR.text(text) == text
    assert Redactor(own_rules(), Tier.POSSIBLE).text(text) != text
    assert Redactor(own_rules(), Tier.CERTAIN).text(f"ghp_{letters('A', 36)}").startswith("ghp_")


def test_what_was_removed_is_counted():
    redactor = Redactor()

    redactor.text(f"{TOKEN} {TOKEN}")
    redactor.text("nothing")

    assert redactor.counts == {"github-personal-token": 2}


def test_findings_count_characters_and_hold_no_value():
    text = f"äöü 😀 {TOKEN}"

    (found,) = REDACTOR.scan(text)

    assert text[found.start : found.end] == TOKEN
    assert TOKEN[4:12] not in repr(found)


def test_broken_text_goes_through():
    assert REDACTOR.text(f"\ud83d {TOKEN} \udc00").startswith("\ud83d [removed:")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "ghp_" * 250_000,
        "token=" * 160_000,
        "token: " * 140_000,
        '"password": "' * 80_000,
        "://a:" * 200_000,
        "-----BEGIN RSA PRIVATE KEY-----" * 32_000,
        "curl -u " * 120_000,
        "eyJ" * 330_000,
        "eyJhbGciOi." * 90_000,
        "\\" * 1_000_000,
        "\\u005f" * 160_000,
        "\x1b[31m" * 200_000,
        "[removed:x:abcd]" * 60_000,
        "xoxb-1-" * 140_000,
        "cookie: a=" * 100_000,
        "Authorization: Bearer " * 45_000,
        "kind: Secret data: " * 52_000,
        "AKIA" * 250_000,
        "password=\u00e9" * 90_000,
    ],
    ids=lambda text: repr(text[:24]),
)
def test_time_is_linear_on_hostile_text(text: str):
    text = text[: len(text) // 4]
    part = text[: len(text) // 8]
    # The first texts also make the machine that finds.
    REDACTOR.text(part)

    started = time.process_time()
    REDACTOR.text(part)
    small = time.process_time() - started
    REDACTOR.text(text)

    assert time.process_time() - started - small < 40 * small + 1


def test_an_error_says_nothing_of_the_value():
    with pytest.raises(AttributeError) as caught:
        REDACTOR.text(TOKEN.encode())  # type: ignore[arg-type]  # what must not happen

    assert TOKEN not in repr(caught.value)
