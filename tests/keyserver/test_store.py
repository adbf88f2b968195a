"""The store: every form reads back, a file is replaced whole or not at all, and one run at a time is at work."""

from __future__ import annotations

import json
import os
import shlex
import socket
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import ConfigurationError, InputError, LockHeldError, StoreError
from drmkit.keyserver.store import Form, UrlStore, as_fields, parse_stored, render, write_atomically
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import MASK, Secret

SERVICE = "https://fe.drmtoday.com/frontend/cpix/v1/org/ingest/config"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CHANGED = datetime(2026, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
FORMS = get_args(Form)

texts = st.text(st.characters(exclude_categories=["Cs"]))
moments = st.datetimes(datetime(1971, 1, 1), datetime(2105, 1, 1)).map(  # noqa: DTZ001 (Hypothesis takes naive bounds)
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
urls = st.builds(
    KeyServerUrl,
    st.builds(lambda part: SERVICE + part, st.text("abc-._~%/'$", max_size=9)),
    st.builds(Secret, st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
    moments,
    st.none() | moments,
    st.lists(st.tuples(texts.filter(lambda name: name != "ticket"), texts), max_size=3).map(tuple),
)


def url(ticket: str = "cAnArY", *, lifetime: timedelta | None = timedelta(hours=6)) -> KeyServerUrl:
    """A URL issued now."""
    return KeyServerUrl(SERVICE, Secret(ticket), NOW, None if lifetime is None else NOW + lifetime, (("x", "y"),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test keeps its URL: in a folder of its own."""
    folder = tmp_path / "state"
    folder.mkdir()
    return folder / "url.json"


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@given(urls, st.sampled_from(["json", "env"]))
def test_forms_that_tell_ages_read_back_whole(one: KeyServerUrl, form: Form) -> None:
    """JSON and variables hold service, ticket, query and both ages."""
    assert parse_stored(render(one, form).encode(), where="here", changed=CHANGED) == one


@given(urls)
def test_the_bare_url_reads_back_with_the_age_of_its_file(one: KeyServerUrl) -> None:
    """A bare URL tells everything but its ages: it was issued when its file was written."""
    back = parse_stored(render(one, "url").encode(), where="here", changed=CHANGED)
    assert (back.service, back.ticket, back.query) == (one.service, one.ticket, one.query)
    assert (back.issued_at, back.expires_at) == (CHANGED, None)


@given(urls)
def test_every_form_is_what_others_read(one: KeyServerUrl) -> None:
    """JSON has its documented keys, variables are a shell's, and the bare URL is one line."""
    fields = json.loads(render(one, "json"))
    assert list(fields) == ["schema_version", "url", "service", "issued_at", "expires_at"]
    assert (fields["schema_version"], fields["url"], fields["service"]) == (1, one.reveal(), one.service)
    assert datetime.fromisoformat(fields["issued_at"]) == one.issued_at
    assert fields["issued_at"].endswith("Z")
    variables = dict(word.split("=", 1) for word in shlex.split(render(one, "env")))
    assert (variables["KEY_SERVER_URL"], variables["KEY_SERVER_URL_SERVICE"]) == (one.reveal(), one.service)
    assert ("KEY_SERVER_URL_EXPIRES_AT" in variables) == (one.expires_at is not None)
    assert render(one, "url") == f"{one.reveal()}\n"


def test_a_shell_reads_the_variables(tmp_path: Path) -> None:
    """`. ./file` in a POSIX shell sets them, quotes and dollars and all."""
    one = KeyServerUrl(f"{SERVICE}/$HOME'`x`", Secret("a+b"), NOW)
    file = tmp_path / "url.env"
    file.write_text(render(one, "env"), encoding="utf-8")
    done = subprocess.run(
        ["/bin/sh", "-c", f'. {file}; printf %s "$KEY_SERVER_URL"'], capture_output=True, text=True, check=True
    )
    assert done.stdout == one.reveal()


@given(st.one_of(st.binary(), texts.map(str.encode)))
def test_any_bytes_are_a_url_or_an_input_error(raw: bytes) -> None:
    """Nothing that a file can hold breaks the reader."""
    with suppress(InputError):
        assert parse_stored(raw, where="here", changed=CHANGED).ticket


def stored(**changes: Any) -> str:
    """The JSON form with changes."""
    return json.dumps({**as_fields(url()), **changes})


BAD = {
    "nothing": "",
    "half a file": stored()[:-9],
    "another file": "[profile.a]\nusername = 'cAnArY'\n",
    "a URL without a ticket": f"{SERVICE}?x=cAnArY",
    "an empty ticket": f"{SERVICE}?ticket=",
    "no http URL": "ftp://fe.drmtoday.com/x?ticket=cAnArY",
    "two URLs": f"{SERVICE}?ticket=cAnArY {SERVICE}?ticket=cAnArY",
    "a URL that is a number": stored(url=7),
    "no URL": json.dumps({"ticket": "cAnArY"}),
    "a list": '["cAnArY"]',
    "an age that is a number": stored(issued_at=7),
    "an age that is no date": stored(issued_at="cAnArY"),
    "an age before time": stored(issued_at="0001-01-01T00:00:00+10:00"),
    "endless nesting": '{"cAnArY":' * 100_000,
    "an open quote": "KEY_SERVER_URL='https://cAnArY",
    "a word among variables": f"KEY_SERVER_URL={SERVICE}?ticket=cAnArY\nexport\n",
}


@pytest.mark.parametrize("text", BAD.values(), ids=list(BAD))
def test_what_is_no_stored_url_is_refused_without_being_quoted(path: Path, text: str) -> None:
    """The file is named, its content is neither shown nor kept with the error."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"{path} holds no key-server URL that can be read") as caught:
        UrlStore(path).load()
    assert "cAnArY" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None
    assert "key-url refresh" in str(caught.value.hint)


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        stored(expires_at=None),
        stored(further="key"),
        stored(issued_at="2026-11-21T13:00:00+01:00"),
        stored(issued_at="2026-11-21T12:00:00"),
        f"\n  {url().reveal()} \r\n",
        render(url(), "env") + "OTHER=1\n",
    ],
)
def test_what_a_person_may_have_written_is_read(path: Path, text: str) -> None:
    """White space around it, further keys, other time zones: the same URL, with its age in UTC."""
    path.write_text(text, encoding="utf-8")
    back = UrlStore(path).load()
    assert back is not None
    assert (back.ticket, back.query) == (Secret("cAnArY"), (("x", "y"),))
    assert back.issued_at.utcoffset() == timedelta(0)
    if "issued_at" in text:
        assert back.issued_at == NOW


@pytest.mark.parametrize("form", FORMS)
def test_what_was_saved_is_loaded(path: Path, form: Form) -> None:
    """Through a real file every form keeps ticket and age; the bare URL keeps its age as the file's."""
    store = UrlStore(path, form)
    assert store.load() is None
    store.save(url())
    assert store.load() == url(lifetime=None if form == "url" else timedelta(hours=6))
    assert path.read_text(encoding="utf-8") == render(url(), form)
    assert [entry.name for entry in path.parent.iterdir()] == ["url.json"]


def test_a_form_that_is_none_is_refused(path: Path) -> None:
    """A form other than the three is a configuration error, since profiles name it."""
    with pytest.raises(ConfigurationError, match="write = 'yaml' is no form"):
        UrlStore(path, "yaml")  # type: ignore[arg-type] # the refusal is the point


@pytest.mark.parametrize("wanted", [0o600, 0o640, 0o644, 0o400])
def test_a_file_has_the_mode_that_was_asked_for(path: Path, wanted: int) -> None:
    """Private unless asked otherwise, whatever the umask, and whatever the file was before."""
    before = os.umask(0o077 if wanted == 0o644 else 0)
    try:
        for _ in range(2):
            UrlStore(path, mode=wanted).save(url())
            assert mode(path) == wanted
            path.chmod(0o666)
    finally:
        os.umask(before)
    UrlStore(path).save(url())
    assert mode(path) == 0o600


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    """Saving changes the file that a link, or a chain of links, points to; the temporary file lies beside that file."""
    link, chain = tmp_path / "link", tmp_path / "chain"
    link.symlink_to(path)
    chain.symlink_to("link")
    for ticket in ("first", "second"):
        UrlStore(chain).save(url(ticket))
        assert (chain.is_symlink(), link.is_symlink(), path.is_symlink()) == (True, True, False)
        assert UrlStore(path).load() == UrlStore(link).load() == url(ticket)
    assert {entry.name for entry in tmp_path.iterdir()} == {"state", "link", "chain"}


@contextmanager
def unusual(path: Path, kind: str) -> Iterator[Path]:
    """Something at this path that is no regular file."""
    if kind == "folder":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/null")
    elif kind == "link to a device":
        path.symlink_to("/dev/full")
    with socket.socket(socket.AF_UNIX) as listener:
        if kind == "socket":
            listener.bind(str(path))
        yield path


@pytest.mark.parametrize("kind", ["folder", "FIFO", "device", "link to a device", "socket"])
def test_what_is_no_regular_file_is_never_replaced(path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, a device, a FIFO or a socket is refused by saving and locking, and reading one does not wait."""
    monkeypatch.chdir(path.parent)  # a socket's path is short
    with unusual(Path("thing"), kind) as thing:
        before = thing.stat().st_mode
        with pytest.raises(InputError, match="is not a regular file"):
            UrlStore(thing).save(url())
        with pytest.raises(InputError, match="is not a regular file"), UrlStore(thing).lock():
            pass
        with pytest.raises((InputError, ConfigurationError), match="holds no key-server URL|cannot be read"):
            UrlStore(thing).load()
        assert thing.stat().st_mode == before
    UrlStore(Path("file")).save(url())


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("missing/url.json", "there is no folder .*missing"),
        ("file/url.json", r"cannot be used \(Not a directory\)"),
        ("loop", r"cannot be used"),
        ("a\0b", r"cannot be used \(it is no usable path\)"),
        ("x" * 300, r"cannot be used \(File name too long\)"),
    ],
)
def test_a_path_that_cannot_be_is_refused(path: Path, bad: str, reason: str) -> None:
    """A missing folder, a file in a folder's place, a loop of links and impossible names are told with their reason."""
    (path.parent / "file").touch()
    (path.parent / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=reason):
        UrlStore(path.parent / bad).save(url())
    with pytest.raises(InputError, match=reason), UrlStore(path.parent / bad).lock():
        pass


def test_a_name_too_long_for_a_temporary_file_is_a_store_error(path: Path) -> None:
    """A name that fits, but not with what a temporary file adds, is told and leaves nothing."""
    with pytest.raises(StoreError, match=r"could not be written \(File name too long\)"):
        UrlStore(path.with_name("x" * 250)).save(url())
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("bad", "reason"), [("a\0b", "it is no usable path"), ("loop", "Too many levels"), ("folder", "Is a directory")]
)
def test_a_path_that_cannot_be_read_is_told(path: Path, bad: str, reason: str) -> None:
    """Reading tells the system's reason, and takes nothing of it for a missing file."""
    (path.parent / "loop").symlink_to("loop")
    (path.parent / "folder").mkdir()
    with pytest.raises(ConfigurationError, match=reason):
        UrlStore(path.parent / bad).load()


def test_the_folder_is_made_private(tmp_path: Path) -> None:
    """A state folder that does not exist is made for its owner alone; one that does is left as it is."""
    store = UrlStore(tmp_path / "a" / "b" / "url.json")
    for _ in range(2):
        store.create_folder()
        assert mode(tmp_path / "a" / "b") == 0o700
        store.save(url())
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="could not be written"):
        UrlStore(tmp_path / "file" / "b" / "url.json").create_folder()


def in_child(code: str, *arguments: object, unprivileged: bool = False) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, in which permissions hold even for root."""
    prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if unprivileged and os.geteuid() == 0 else []
    prelude = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from drmkit.errors import DrmkitError
from drmkit.keyserver.store import UrlStore
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret
store = UrlStore(Path(sys.argv[1]))
new = KeyServerUrl("https://h/new", Secret("cAnArY"), datetime(2026, 11, 21, tzinfo=UTC))
def attempt(action):
    try:
        print("done", action())
    except DrmkitError as error:
        print(type(error).__name__, error.exit_code, error, error.hint)
"""
    return subprocess.run(
        [*prefix, sys.executable, "-c", prelude + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=ROOT,
    )


def test_a_full_disk_leaves_the_old_file_whole(path: Path) -> None:
    """When the kernel refuses to write, the old URL is whole, the temporary file is gone, and the reason is told."""
    UrlStore(path).save(url())
    before = path.read_bytes()
    done = in_child(
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)); attempt(lambda: store.save(new))", path
    )
    assert done.stdout.startswith(f"StoreError 1 {path} could not be written (File too large) free some space")
    assert "cAnArY" not in done.stdout + done.stderr
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["url.json"]
    assert in_child("attempt(lambda: store.save(new))", path).stdout == "done None\n"
    assert path.read_bytes() != before


def test_a_folder_that_may_not_be_written_is_told(path: Path) -> None:
    """Without write access nothing can be saved or locked, and what is stored can still be read."""
    UrlStore(path).save(url())
    path.parent.chmod(0o500)
    code = """
attempt(lambda: store.save(new))
attempt(lambda: store.lock().__enter__())
attempt(lambda: store.load().redacted)
"""
    try:
        save, lock, load = in_child(code, path, unprivileged=True).stdout.splitlines()
    finally:
        path.parent.chmod(0o700)
    assert save.startswith(f"ConfigurationError 3 {path} may not be written (Permission denied) give this user")
    assert lock.startswith(f"ConfigurationError 3 {path}.lock may not be written (Permission denied) give this user")
    assert load == f"done {url().redacted}"


def test_a_folder_may_be_closed_to_looking(path: Path) -> None:
    """A folder that may be written and not listed cannot be synced: the file is saved all the same, and says so."""
    path.parent.chmod(0o300)
    try:
        done = in_child("attempt(lambda: store.save(new)); attempt(lambda: store.load())", path, unprivileged=True)
    finally:
        path.parent.chmod(0o700)
    assert done.stdout.startswith("done None\ndone https://h/new?ticket=**")


def test_a_file_that_may_not_be_read_is_no_bad_file(path: Path) -> None:
    """Another user's file is told of as what it is; it is not taken for damaged."""
    UrlStore(path).save(url())
    path.chmod(0o200)
    done = in_child("attempt(store.load)", path, unprivileged=True)
    assert done.stdout.startswith(f"ConfigurationError 3 {path} cannot be read (Permission denied)")
    path.chmod(0o600)
    assert in_child("attempt(store.load)", path, unprivileged=True).stdout.startswith("done https://")


@pytest.mark.parametrize("content", ["text", None])
def test_whatever_goes_wrong_leaves_no_temporary_file(path: Path, content: Any) -> None:
    """Even an error that nobody foresaw leaves the folder as it was."""
    path.write_text("before", encoding="utf-8")
    with pytest.raises(TypeError):
        write_atomically(path, content)
    assert [entry.name for entry in path.parent.iterdir()] == ["url.json"]
    assert path.read_text(encoding="utf-8") == "before"
    write_atomically(path, b"after")
    assert path.read_bytes() == b"after"


def test_a_reader_never_sees_a_torn_file(path: Path) -> None:
    """While a writer replaces the file over and over, a reader finds one URL or the other, always whole."""
    store = UrlStore(path)
    known = {"a" * 10, "b" * 3000}
    store.save(url("a" * 10))
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            one = store.load()
            assert one is not None
            seen.add(one.ticket.reveal())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(50):
        for ticket in sorted(known):
            store.save(url(ticket))
    done.set()
    reader.join()
    assert seen
    assert seen <= known


def test_a_bad_file_is_kept_beside_its_place(path: Path, tmp_path: Path) -> None:
    """Setting aside copies to `NAME.bad`, privately, through links, and leaves the original where readers look."""
    link = tmp_path / "link"
    link.symlink_to(path)
    for content in ("bad", "worse"):
        path.write_text(content, encoding="utf-8")
        path.chmod(0o644)
        bad = UrlStore(link).set_aside()
        assert bad == path.with_name("url.json.bad")
        assert (bad.read_text(encoding="utf-8"), mode(bad)) == (content, 0o600)
        assert path.read_text(encoding="utf-8") == content


def test_a_bad_file_that_is_gone_cannot_be_kept(path: Path) -> None:
    """Another process took it away in between: told as a store error."""
    with pytest.raises(StoreError, match=r"could not be written \(No such file"):
        UrlStore(path).set_aside()


def test_one_run_at_a_time(path: Path) -> None:
    """A held lock is told at once, in the same process too; it is free again after its block, however that ends."""
    store = UrlStore(path)
    with (
        store.lock(),
        pytest.raises(LockHeldError, match="another run holds the lock .*url.json.lock") as caught,
        store.lock(),
    ):
        pass
    assert caught.value.exit_code == 4
    with pytest.raises(ZeroDivisionError), store.lock():
        raise ZeroDivisionError
    with store.lock():
        pass
    assert mode(path.with_name("url.json.lock")) == 0o600


def test_links_to_one_file_share_its_lock(path: Path, tmp_path: Path) -> None:
    """Whoever reaches the file through a link waits for who reaches it directly, even before it exists."""
    link = tmp_path / "link"
    link.symlink_to(path)
    with UrlStore(path).lock(), pytest.raises(LockHeldError), UrlStore(link).lock():
        pass
    with UrlStore(link).lock(), pytest.raises(LockHeldError), UrlStore(path).lock():
        pass


HOLD = """
import sys
from pathlib import Path
from drmkit.keyserver.store import UrlStore
with UrlStore(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", [lambda child: child.stdin.close(), lambda child: child.kill()], ids=["end", "kill -9"])
def test_another_process_holds_the_lock_until_it_ends(path: Path, end: Callable[[subprocess.Popen[str]], None]) -> None:
    """The lock of another process is respected, and dies with it, even by kill -9."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(LockHeldError), UrlStore(path).lock():
            pass
        UrlStore(path).save(url())  # readers and writers that do not ask for the lock are not held up
        end(child)
        child.wait(20)
    with UrlStore(path).lock():
        assert UrlStore(path).load() == url()


def test_the_fields_can_be_shown_masked() -> None:
    """For screens the URL's ticket is masked; everything else is the same."""
    shown, whole = as_fields(url(), reveal=False), as_fields(url())
    assert shown["url"] == f"{SERVICE}?ticket={MASK}&x=y"
    assert {**shown, "url": ""} == {**whole, "url": ""}
    assert as_fields(url(lifetime=None))["expires_at"] is None


@pytest.mark.parametrize(
    ("version", "reason"), [(2, "was written by a newer drmkit"), ("x", "holds no key-server URL")]
)
def test_a_form_of_the_future_is_not_guessed_at(path: Path, version: Any, reason: str) -> None:
    """What a newer version may mean by the same keys is not known here; this version's own, or none, is read."""
    path.write_text(stored(schema_version=version), encoding="utf-8")
    with pytest.raises(InputError, match=reason) as caught:
        UrlStore(path).load()
    assert "key-url refresh" in str(caught.value.hint)
    path.write_text(stored(schema_version=1), encoding="utf-8")
    assert UrlStore(path).load() is not None
