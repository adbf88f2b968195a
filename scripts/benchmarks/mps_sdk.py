"""One job with the official SDK: a process of its own (`submit URL`), or build, serialize, sign (`calls SECONDS`)."""

# ruff: noqa: PLC0415, SLF001 (each task loads what it measures; signing alone is no public method of the SDK)

import json
import sys
import time

PARAMETERS = json.loads(sys.argv[3])


def client(endpoint: str) -> object:
    """The SDK's client for a host and port."""
    from tencentcloud.common import credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.mps.v20190612 import mps_client

    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint), language="en-US")
    return mps_client.MpsClient(credential.Credential("AKIDbench", "secret"), "", profile)


def submit(endpoint: str) -> None:
    """Submit one job, and print its task ID."""
    from tencentcloud.mps.v20190612 import models

    request = models.ProcessMediaRequest()
    request.from_json_string(json.dumps(PARAMETERS))
    print(client(endpoint).ProcessMedia(request).TaskId)


def calls(seconds: float) -> None:
    """Print microseconds for build + serialize + sign, stopping where the request would be sent."""
    from tencentcloud.common.http.request import RequestInternal
    from tencentcloud.mps.v20190612 import models

    sdk = client("mps.tencentcloudapi.com")
    text = json.dumps(PARAMETERS)

    def call() -> None:
        request = models.ProcessMediaRequest()
        request.from_json_string(text)
        http = RequestInternal("mps.tencentcloudapi.com", "POST", "/")
        sdk._build_req_inter("ProcessMedia", request._serialize(), http)

    print(json.dumps({"call": best(call, seconds)}))


def best(call: object, seconds: float) -> float:
    """Return the microseconds of the quickest of many batches."""
    lowest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(200):
            call()
        lowest = min(lowest, (time.perf_counter() - start) / 200)
    return lowest * 1e6


if __name__ == "__main__":
    submit(sys.argv[2].removeprefix("http://")) if sys.argv[1] == "submit" else calls(float(sys.argv[2]))
