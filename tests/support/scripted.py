"""A server on loopback that answers exactly what a test scripts, down to the bytes, the pauses and the silence."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

TGT = "TGT-1-cAnArYtGt/+=x"
TICKETS = "/cas/v1/tickets"


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form-encoded body."""
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


@dataclass
class Answer:
    """What to send back: a status, headers and a body; or raw bytes; slowly, or never."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    silent: bool = False
    drip_seconds: float = 0.0

    def wire(self) -> bytes:
        """The bytes of the whole answer."""
        if self.raw is not None:
            return self.raw
        lines = [f"HTTP/1.1 {self.status} Scripted", f"Content-Length: {len(self.body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


class ScriptedServer:
    """Call `respond(request)` for every request and send what it returns; keeps what it was asked."""

    def __init__(
        self, respond: Callable[[Request], Answer] | None = None, *, context: ssl.SSLContext | None = None
    ) -> None:
        self.respond: Callable[[Request], Answer] = respond or Cas().respond
        self.requests: list[Request] = []
        self._context = context
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port = int(self._listener.getsockname()[1])
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            self._threads[0].join(10)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._stopped.is_set():
                connection.close()
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(20)
            with self._context.wrap_socket(connection, server_side=True) if self._context else connection as stream:
                request = self._read(stream)
                if request is None:
                    return
                self.requests.append(request)
                answer = self.respond(request)
                if answer.silent:
                    self._stopped.wait(20)
                    return
                self._write(stream, answer)
        except OSError:
            pass  # the client has gone, or the handshake failed: what some tests are about
        finally:
            connection.close()

    def _write(self, stream: socket.socket, answer: Answer) -> None:
        if not answer.drip_seconds:
            stream.sendall(answer.wire())
            return
        for byte in answer.wire():
            stream.sendall(bytes([byte]))
            if self._stopped.wait(answer.drip_seconds):
                return

    @staticmethod
    def _read(stream: socket.socket) -> Request | None:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = stream.recv(65536)
            if not chunk:
                return None
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        first, *rows = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
        while len(body) < int(headers.get("content-length", "0")):
            chunk = stream.recv(65536)
            if not chunk:
                return None
            body += chunk
        method, target, _ = first.split(" ", 2)
        return Request(method, target, headers, body)


@dataclass
class Cas:
    """A well-behaved CAS whose two answers a test can replace."""

    login: Callable[[Request], Answer] | None = None
    ticket: Callable[[Request], Answer] | None = None
    logins: int = 0
    tickets: int = 0

    def respond(self, request: Request) -> Answer:
        """Answer as a CAS does."""
        if request.target == TICKETS:
            self.logins += 1
            if self.login:
                return self.login(request)
            return created(request, f"{TGT}{self.logins}")
        self.tickets += 1
        if self.ticket:
            return self.ticket(request)
        return Answer(body=f"ST-{self.tickets}-cAnArY+/=".encode())


def created(request: Request, tgt: str = TGT, *, scheme: str = "http") -> Answer:
    """The answer to a good login."""
    location = f"{scheme}://{request.headers['host']}{TICKETS}/{tgt}"
    page = f'<!DOCTYPE html><html><title>201 Created</title><form action="{location}" method="POST"></form></html>'
    return Answer(201, page.encode(), {"Location": location, "Content-Type": "text/html"})
