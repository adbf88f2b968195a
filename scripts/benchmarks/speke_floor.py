"""The floor: the sandbox's HTTP stack (uvicorn, h11, Starlette) answering as many bytes as it is asked for."""

import asyncio

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from drmkit.sandbox.server import bind_loopback

HEADERS = {"Content-Type": "application/xml; charset=utf-8", "X-Speke-Version": "2.0", "X-Speke-User-Agent": "floor"}


async def answer(request: Request) -> Response:
    """Read the whole body and answer a constant one of the size that the URL names."""
    async for _ in request.stream():
        pass
    return Response(b"x" * request.path_params["size"], headers=HEADERS)


def main() -> None:
    """Serve on a free port of loopback and print it."""
    listener = bind_loopback("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    app = Starlette(routes=[Route("/{size:int}", answer, methods=["POST"])])
    config = uvicorn.Config(
        app, access_log=False, date_header=False, http="h11", lifespan="off", log_config=None, loop="asyncio", ws="none"
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
