"""FairPlay Streaming key URIs: `skd://` and whatever the license service wants behind it."""

from __future__ import annotations

import json
from typing import Literal

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.signaling import encodings

__all__ = ["Form", "identifier", "names", "said_in_json", "uri", "uri_with_json"]

SCHEME = "skd://"
Form = Literal["uuid", "hex", "base64"]


def uri(kid: KeyId, form: Form = "uuid", *, template: str | None = None) -> str:
    """Return the `skd://` URI of a key.

    What stands behind `skd://` is a matter between packager and license service. Axinom's documents hold the UUID,
    Shaka Packager writes base64.

    Args:
        kid: the key ID.
        form: how the key ID is written.
        template: the license service's own URI with `{kid}` in it, such as `skd://example.com/?keyId={kid}`.

    Raises:
        SignalingError: the form is unknown, or the template has no `{kid}` or is no `skd://` URI.
    """
    written = _forms(kid).get(form)
    if written is None:
        raise SignalingError(f"a key ID is written as uuid, hex or base64, not as {form!r}")
    if template is None:
        return SCHEME + written
    if "{kid}" not in template or not template.startswith(SCHEME):
        raise SignalingError(f"the FairPlay URI template {template!r} must start with skd:// and hold {{kid}}")
    return template.replace("{kid}", written)


def uri_with_json(kid: KeyId, content_id: str, iv: bytes | None = None) -> str:
    """Return the `skd://` URI of base64 JSON with ContentId, KeyId and, in base64, IV.

    AWS Elemental MediaPackage shows it, and NAGRA's key service writes it:
    https://docs.aws.amazon.com/mediapackage/latest/userguide/implementing-speke-v2.html

    Args:
        kid: the key ID, written as UUID.
        content_id: the content's name.
        iv: the initialization vector, 16 bytes; None leaves it out.
    """
    document = {"ContentId": content_id, "KeyId": kid.uuid}
    if iv is not None:
        document["IV"] = encodings.to_base64(iv)
    return SCHEME + encodings.to_base64(json.dumps(document, separators=(",", ":")).encode("utf-8"))


def said_in_json(text: str) -> dict[str, str]:
    """Return what a URI of the form that `uri_with_json` writes says, by name; empty for a URI of any other form."""
    try:
        content = json.loads(encodings.from_base64(identifier(text), "the identifier"))
    except (SignalingError, ValueError, RecursionError):
        return {}
    return {name: said for name, said in content.items() if isinstance(said, str)} if isinstance(content, dict) else {}


def identifier(text: str) -> str:
    """Return what stands behind `skd://`.

    Raises:
        SignalingError: the URI is of another scheme, or nothing stands behind it.
    """
    if text[: len(SCHEME)].lower() != SCHEME or len(text) == len(SCHEME):
        raise SignalingError(f"{text!r} is no FairPlay key URI", hint="it starts with skd:// and names the key")
    return text[len(SCHEME) :]


def names(text: str, kid: KeyId) -> bool:
    """Say whether a FairPlay URI names this key ID in any form: UUID, hexadecimal, base64 or base64 JSON.

    False does not mean that the URI names another key: services may use identifiers of their own.

    Raises:
        SignalingError: the URI is no `skd://` URI.
    """
    content = identifier(text)
    forms = _forms(kid)
    lowered = content.lower()
    if forms["base64"] in content or forms["uuid"] in lowered or forms["hex"] in lowered:
        return True
    try:
        decoded = encodings.from_base64(content, "the identifier").decode("utf-8").lower()
    except (SignalingError, UnicodeDecodeError):
        return False
    return forms["uuid"] in decoded or forms["hex"] in decoded


def _forms(kid: KeyId) -> dict[str, str]:
    return {"uuid": kid.uuid, "hex": kid.hex, "base64": kid.base64}
