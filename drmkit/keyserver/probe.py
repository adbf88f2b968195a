"""Look whether a new URL works: fetch its CPIX document and validate it. At DRMtoday that is an ingest."""

from __future__ import annotations

from collections.abc import Callable

from drmkit.errors import InputError, ProtocolError, RemoteError, ServiceRejectedError, VerdictError
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

__all__ = ["cpix_probe"]


def cpix_probe(fetch: Callable[[KeyServerUrl], Secret[bytes]]) -> Callable[[KeyServerUrl], None]:
    """Return a probe that fetches a document and validates it as CPIX.

    Args:
        fetch: returns the document of a URL.

    The probe raises RemoteError where the URL or its document cannot be used: whatever the reason, the new URL is not
    better than the old one.
    """

    def probe(url: KeyServerUrl) -> None:
        from drmkit.cpix import validation  # noqa: PLC0415 (XML is loaded only when it is needed)

        try:
            document = fetch(url)
            validation.check(document.reveal())
        except ServiceRejectedError as error:
            raise RemoteError(f"the new URL does not work: {error.message}", hint=error.hint) from error
        except RemoteError as error:
            error.add_note("while the new URL was verified")
            raise
        except (InputError, VerdictError) as error:
            raise ProtocolError(
                f"the new URL leads to a document that is no valid CPIX: {error.message}",
                hint="look at it with `drmkit cpix fetch` and `drmkit cpix validate`, or leave `verify` out",
            ) from None

    return probe
