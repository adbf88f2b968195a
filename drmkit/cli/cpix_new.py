"""`drmkit cpix new`: build a document from a TOML file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from drmkit.cli.cpix_files import STDIN, deliver, output_option
from drmkit.cli.output import App, pass_app

__all__ = ["SKELETON", "new"]

SKELETON = """\
# What a CPIX document shall say. drmkit cpix new --from THIS_FILE --output movie.cpix.xml
# If it holds content keys, keep it private: chmod 600.

version = "2.3"                       # 2.1, 2.2, 2.3, 2.3.1 or 2.4
content_id = "movie-1"
# id = "doc"                          # the XML ID
# name = "A movie"
scheme = "cenc"                       # cenc, cens, cbc1 or cbcs; a key may have its own
systems = ["widevine", "playready"]   # also fairplay (with cbcs), common, or a system ID; signaling is made for them
# request = true                      # ask a key server: no keys, and empty elements for it to fill

# [derive]                            # for keys with key = "derive"
# algorithm = "hkdf-sha256"           # playready, hkdf-sha256 or speke-pbkdf2
# seed_file = "key.seed"              # chmod 600; drmkit keys generate --seed key.seed makes one
# iv_seed_file = "iv.seed"            # for iv = "derive"
# seed_encoding = "base64"            # base64, hex, raw or text

# [signaling]
# widevine_provider = "acme"
# playready_la_url = "https://license.example/rightsmanager.asmx"
# fairplay_uri = "skd://{kid}"        # or {kid_hex}

[[key]]
label = "sd"                          # the name by which other tables refer to this key
kid = "new"                           # or a UUID
key = "generate"                      # or derive, none, or 32 hexadecimal digits
# iv = "generate"                     # or derive, or 32 hexadecimal digits
track = "SD"                          # intendedTrackType; this and the filters make the key's usage rule
video = [{ max_pixels = 589824 }]     # min_pixels, max_pixels, min_fps (exclusive), max_fps, hdr, wcg

[[key]]
label = "hd"
track = "HD"
video = [{ min_pixels = 589825 }]

[[key]]
label = "audio"
track = "AUDIO"
audio = [{}]                          # min_channels, max_channels
# bitrate = [{ max_bitrate = 128000 }]
# labels = ["main"]
# periods = ["p1"]
# depends_on = "root"                 # a leaf key: the root key has scheme, signaling and HDCP data
# hdcp_level = "TYPE-1"               # 2.4

# [[rule]]                            # a further usage rule for a key
# key = "sd"
# track = "SD"
# video = [{ max_pixels = 589824, max_fps = 30 }]

# [[period]]
# id = "p1"
# index = 1                           # or start and end = 2026-01-31T20:00:00Z; 2.4: start_offset, duration = "PT90S"

# [[system]]                          # what a key server gave, as it is
# key = "sd"
# system = "widevine"
# pssh = "AAAA..."                    # base64
# robustness = "HW_SECURE_ALL"        # 2.4, with content_protection_data

# [[recipient]]                       # with request = true: who shall be able to decrypt the keys
# certificate_file = "packager.pem"

# [[update]]
# update_version = 1
# index = 1
# source = "packager"
# date = 2026-01-31T20:00:00Z
"""


@click.command()
@click.option("--from", "source", metavar="FILE|-", help="The TOML file that says what the document holds.")
@click.option("--skeleton", is_flag=True, help="Print a commented TOML file to start from.")
@click.option("--reveal", is_flag=True, help="Print the document even if it holds content keys.")
@output_option
@pass_app
def new(app: App, /, *, source: str | None, skeleton: bool, reveal: bool, output: Path | None) -> None:
    """Build a valid CPIX document from a TOML file: keys given, generated or derived, signaling made for them."""
    if skeleton == (source is not None):
        raise click.UsageError("say either --from FILE or --skeleton")
    if skeleton:
        deliver(SKELETON.encode(), output, secret=False, reveal=False, what="the skeleton")
        return
    from drmkit.cpix.spec import from_toml, load_spec  # noqa: PLC0415 (help needs no parser)

    given = Path(str(source))
    document = from_toml(sys.stdin.buffer.read(), folder=Path()) if source == STDIN else load_spec(given)
    secret = any(key.key is not None for key in document.content_keys)
    deliver(document.to_xml(), output, secret=secret, reveal=reveal, what="the document")
    if output is not None:
        app.talk(f"CPIX {document.version or ''} with {len(document.content_keys)} content keys -> {output}")
