"""`drmkit play`: open a player page for a manifest, with a ClearKey license server for its keys."""

from __future__ import annotations

import secrets
import signal
import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import click

from drmkit.cli.cpix_files import read_document
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.cli.play_drmtoday import print_fields
from drmkit.errors import DrmkitError, InputError, MissingExtraError
from drmkit.latch import Latch
from drmkit.loopback import is_loopback

if TYPE_CHECKING:
    from drmkit.identifiers import KeyId
    from drmkit.player.sessions import Sessions
    from drmkit.secret import Secret

__all__ = ["play"]

_LARGEST_PORT = 65535
_SANDBOX = "drmkit sandbox"
_SYSTEMS = ("auto", "clearkey", "widevine", "playready", "fairplay", "none")


@click.command()
@click.argument("manifest", required=False)
@click.option("--cpix", "cpix_file", metavar="FILE", help="Play with the keys of this CPIX document.")
@click.option("--key-file", type=click.Path(path_type=Path), help="Play with the keys of this private file.")
@click.option("--license", "license_url", metavar="URL", help="Play with this license server.")
@click.option("--system", type=click.Choice(_SYSTEMS), default="auto", show_default=True, help="The DRM system.")
@click.option("--root", type=click.Path(path_type=Path), help="Serve this folder; default: the manifest's.")
@click.option("--port", type=click.IntRange(0, _LARGEST_PORT), default=0, show_default=True, help="0: a free one.")
@click.option("--no-open", is_flag=True, help="Start no browser; print the page's URL.")
@click.option(
    "--player-js", type=click.Path(path_type=Path), help="Shaka Player; default: in a node_modules folder at or above."
)
@click.option("--print-drmtoday", is_flag=True, help="Print what DRMtoday's own test player asks for, and end.")
@click.option("--user-id", metavar="ID", help="With --print-drmtoday: a member of the organization.")
@click.option("--session-id", metavar="ID", help="With --print-drmtoday: any text.")
@click.option("--asset-id", metavar="ID", help="With --print-drmtoday: the ResourceId of the job.")
@format_option
@pass_app
def play(app: App, /, *, manifest: str | None, print_drmtoday: bool, form: str, **given: Any) -> None:
    """Play a DASH or HLS stream in a browser, and see its keys, frames and errors.

    MANIFEST is a file, whose folder is served on loopback until Ctrl-C, or a URL. Keys from a CPIX document or a key
    file (KID:KEY a line, or JSON) are given out by a ClearKey license server, to the page alone. A URL below a running
    sandbox's /media/ opens the sandbox's own page.

      drmkit play out/manifest.mpd --cpix document.xml

    The page plays with Shaka Player: npm install shaka-player, in this folder or one above; or name the file with
    --player-js or DRMKIT_PLAYER_JS.
    """
    if print_drmtoday:
        print_fields(app, form, **{name: given[name] for name in ("user_id", "session_id", "asset_id")})
        return
    if manifest is None:
        raise click.UsageError("name a MANIFEST, or say --print-drmtoday")
    _check(given)
    if "://" in manifest and _is_sandbox_media(manifest, given):
        _open(app, form, _sandbox_page(manifest), manifest, opens=not given["no_open"])
        return
    _serve(app, manifest, form, given)


def _check(given: Mapping[str, Any]) -> None:
    sources = [name for name in ("cpix_file", "key_file", "license_url") if given[name] is not None]
    if len(sources) > 1:
        raise click.UsageError("keys come from one place: --cpix, --key-file or --license")
    for name in ("user_id", "session_id", "asset_id"):
        if given[name] is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --print-drmtoday")
    if given["license_url"] is not None:
        _check_url(given["license_url"], "--license")


def _check_url(url: str, what: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"{what} is no http or https URL", hint="write it as https://host/path")


def _is_sandbox_media(url: str, given: Mapping[str, Any]) -> bool:
    """Tell whether a URL is a running sandbox's, which has a page of its own and the keys."""
    _check_url(url, "MANIFEST")
    parts = urlsplit(url)
    own = any(given[name] is not None for name in ("cpix_file", "key_file", "license_url", "root"))
    if own or not is_loopback(parts.hostname or "") or not parts.path.startswith("/media/"):
        return False
    from drmkit.http import HttpClient  # noqa: PLC0415 (help needs no network)

    with HttpClient(timeout=5) as http:
        health = http.request("GET", f"{parts.scheme}://{parts.netloc}/health", purpose="the sandbox's health")
    return _SANDBOX in health.text


def _sandbox_page(url: str) -> str:
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/player/?{urlencode({'manifest': parts.path + query})}"


def _serve(app: App, manifest: str, form: str, given: Mapping[str, Any]) -> None:
    try:
        from starlette.applications import Starlette  # noqa: PLC0415 (an extra)

        from drmkit.player import routes  # noqa: PLC0415
        from drmkit.webserver import ServerThread  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the player needs the package {error.name}", hint="install it: pip install 'drmkit[sandbox]'"
        ) from None
    from drmkit.player.sessions import Sessions  # noqa: PLC0415
    from drmkit.player.shaka import INSTALL, find_player_js, named_player_js  # noqa: PLC0415
    from drmkit.sandbox.server import bind_loopback  # noqa: PLC0415
    from drmkit.sandbox.web import LoopbackOnly  # noqa: PLC0415

    root, address = _place(manifest, given["root"])
    keys = _keys(given)
    named = named_player_js(given["player_js"], app.environ)
    sessions = Sessions(clock=time.time, token_bytes=secrets.token_bytes, lifetime=None, private=True)
    mounted = routes(
        find_key=keys.get,
        media_root=root,
        public_media=False,
        player_js=lambda: named or find_player_js(Path.cwd()),
        sessions=sessions,
    )
    listener = bind_loopback("127.0.0.1", given["port"], who="the player")
    page = f"http://127.0.0.1:{listener.getsockname()[1]}/player/?{urlencode(_query(address, given))}"
    site = LoopbackOnly(Starlette(routes=mounted), time.time)
    with _Interrupts() as stopped, ServerThread(site, listener, name="the player"):
        if named is None and find_player_js(Path.cwd()) is None:
            app.talk(f"Shaka Player is missing, and the page waits for it: {INSTALL}")
        _open(app, form, page, address, opens=not given["no_open"], sessions=sessions)
        app.talk("Ctrl-C stops it")
        stopped.wait()
    app.talk("the player has stopped")


def _place(manifest: str, root: Path | None) -> tuple[Path | None, str]:
    """Return the folder to serve, and the manifest's address for the page."""
    from drmkit.player.manifest import check_manifest  # noqa: PLC0415

    if "://" in manifest:
        return root, manifest
    path = Path(manifest).expanduser()
    check_manifest(path)
    path = path.resolve()
    folder = path.parent if root is None else root.expanduser().resolve()
    if not path.is_relative_to(folder):
        raise InputError(f"{manifest} does not lie in {root}", hint="let --root name a folder above the manifest")
    parts = path.relative_to(folder).parts
    if any(part.startswith(".") for part in parts):
        raise InputError(f"{manifest} is hidden, and what begins with a dot is not served", hint="rename it")
    return folder, "/media/" + "/".join(quote(part, safe="") for part in parts)


def _keys(given: Mapping[str, Any]) -> dict[KeyId, Secret[bytes]]:
    from drmkit.player.keys import document_keys, parse_keys  # noqa: PLC0415

    name = given["cpix_file"] or given["key_file"]
    try:
        if given["cpix_file"] is not None:
            return document_keys(read_document(given["cpix_file"]))
        if given["key_file"] is not None:
            from drmkit.keys.seedfile import read_private  # noqa: PLC0415

            return parse_keys(read_private(given["key_file"], "the key file"))
    except DrmkitError as error:
        if str(name) not in error.message and not getattr(error, "__notes__", None):
            error.add_note(str(name))
        raise
    return {}


def _query(address: str, given: Mapping[str, Any]) -> dict[str, str]:
    query = {"manifest": address}
    if given["license_url"] is not None:
        query["license"] = given["license_url"]
    if given["system"] != "auto":
        query["system"] = given["system"]
    return query


def _open(app: App, form: str, page: str, manifest: str, *, opens: bool, sessions: Sessions | None = None) -> None:
    """Print the page's URL and start a browser; the printed link works often, the browser's once."""
    link = page if sessions is None else f"{page}#session={sessions.issue().reveal()}"
    emit(form, {"url": link, "manifest": manifest}, link)
    if opens and not webbrowser.open(page if sessions is None else f"{page}#code={sessions.code().reveal()}"):
        app.talk("no browser could be started: open the URL above")


class _Interrupts:
    """Inside the block, SIGINT and SIGTERM set an event instead of raising."""

    def __enter__(self) -> Latch:
        stopped = Latch()
        self._previous = {
            number: signal.signal(number, lambda *_: stopped.set()) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return stopped

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
