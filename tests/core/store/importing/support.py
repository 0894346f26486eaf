"""Files as the programs write them, made here: their printers and their signatures, written from their sources."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from holdfast_core.store.importing import Draft, Here, Unread, read

DATA = Path(__file__).parent / "data"
HOST = "workbench"
SECRET = "5f3c" * 16
NOW_MS = 1_760_000_000_000


def here(home: Path, **changed: Any) -> Here:
    return Here(home=home, host_name=HOST, now_ms=NOW_MS)._replace(**changed)


def taken(path: Path, at: Here) -> tuple[list[Draft], list[Unread]]:
    found = list(read(path, at))
    return [one for one in found if isinstance(one, Draft)], [one for one in found if isinstance(one, Unread)]


def jason(value: Any) -> str:
    """What ``Jason.encode!(value, pretty: true, maps: :strict)`` gives for maps of up to 32 keys."""
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def jido_signed(session: dict[str, Any], *, secret: str = SECRET, host: str = HOST, salt: str = "") -> str:
    salt = salt or "jido_code_session_v1_2025"
    key = hashlib.pbkdf2_hmac("sha256", salt.encode(), (salt + secret + host).encode(), 100_000, 32)
    mac = hmac.new(key, jason(session).encode(), hashlib.sha256).digest()
    return jason({**session, "signature": base64.b64encode(mac).decode()})


def jido_home(folder: Path, files: dict[str, str], *, secret: str | None = SECRET) -> Path:
    sessions = folder / ".jido_code" / "sessions"
    sessions.mkdir(parents=True)
    if secret is not None:
        (folder / ".jido_code" / "machine_secret").write_text(secret)
    for name, text in files.items():
        (sessions / name).write_text(text, "utf-8")
    return sessions


def theo_file(session: dict[str, Any], *, compressed: bool, checksum: str | None = "") -> str:
    printed = json.dumps(session, ensure_ascii=False, indent=2)
    wrapper: dict[str, Any] = {"version": "1.0.0", "compressed": compressed}
    if checksum is not None:
        wrapper["checksum"] = checksum or hashlib.sha256(printed.encode()).hexdigest()
    packed = base64.b64encode(gzip.compress(printed.encode(), mtime=0)).decode()
    return json.dumps({**wrapper, "data": packed if compressed else session}, ensure_ascii=False, indent=2)
