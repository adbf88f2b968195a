"""Build + serialize + sign one job again and again: `mps_calls.py drmkit|sdk SECONDS JOB` prints microseconds."""

# ruff: noqa: PLC0415, SLF001 (each program loads what it measures; signing alone is no public method of the SDK)
import json
import sys
import time
from collections.abc import Callable

BODY_IV = "452ac1553f19b846e2f2c4cffd8f4a9b"
KEY_URL = "https://fe.drmtoday.com/frontend/cpix/v1/6f1c1bb8/ingest/510466cc?ticket=ST-2417-bench"


def drmkit(seconds: float) -> dict[str, float]:
    """The models of drmkit, without and with the checks of a job."""
    from drmkit.mps import Job, StreamingTask, drm
    from drmkit.mps.keysource import KeySource
    from drmkit.mps.models.request import MediaProcessTaskInput, ProcessMediaRequest
    from drmkit.mps.models.storage import CosInputInfo, CosOutputStorage, MediaInputInfo, TaskOutputStorage
    from drmkit.mps.models.streaming import AdaptiveDynamicStreamingTaskInput, DrmInfo, SpekeDrm
    from drmkit.mps.signing import SigningKey, sign
    from drmkit.mps.wire import encode
    from drmkit.secret import Secret

    key = SigningKey(Secret("secret"))
    where = {"secret_id": "AKIDbench", "key": key, "service": "mps", "host": "mps.tencentcloudapi.com"}
    what = {"action": "ProcessMedia", "version": "2019-06-12"}

    def models() -> None:
        speke = SpekeDrm(
            resource_id="movie-1",
            key_server_url=KeySource(KEY_URL),
            vector=BODY_IV,
            encryption_method="cenc",
            encryption_preset="preset0",
        )
        task = AdaptiveDynamicStreamingTaskInput(definition=12, drm_info=DrmInfo(type="widevine", speke_drm=speke))
        source = CosInputInfo(bucket="source-1250000000", region="ap-singapore", object="/in/movie.mp4")
        target = CosOutputStorage(bucket="target-1250000000", region="ap-singapore")
        request = ProcessMediaRequest(
            input_info=MediaInputInfo(type="COS", cos_input_info=source),
            output_storage=TaskOutputStorage(type="COS", cos_output_storage=target),
            output_dir="/out/",
            media_process_task=MediaProcessTaskInput(adaptive_dynamic_streaming_task_set=[task]),
            session_id="drmkit-bench",
        )
        sign(**where, **what, body=encode(request), timestamp=int(time.time()))

    def checked() -> None:
        protection = drm.Widevine(
            resource_id="movie-1", key_source=KEY_URL, iv=BODY_IV, method="cenc", preset="preset0"
        )
        job = Job.build(
            input="cos://source-1250000000/ap-singapore/in/movie.mp4",
            output="cos://target-1250000000/ap-singapore/out/",
            tasks=[StreamingTask(12, protection)],
        )
        sign(**where, **what, body=encode(job.request([KEY_URL])), timestamp=int(time.time()))

    return {"call": best(models, seconds), "checked": best(checked, seconds)}


def sdk(seconds: float) -> dict[str, float]:
    """The official SDK, from JSON as its documentation shows, stopping where the request would be sent."""
    from tencentcloud.common import credential
    from tencentcloud.common.http.request import RequestInternal
    from tencentcloud.mps.v20190612 import models, mps_client

    client = mps_client.MpsClient(credential.Credential("AKIDbench", "secret"), "")
    text = sys.argv[3]

    def call() -> None:
        request = models.ProcessMediaRequest()
        request.from_json_string(text)
        http = RequestInternal("mps.tencentcloudapi.com", "POST", "/")
        client._build_req_inter("ProcessMedia", request._serialize(), http)

    return {"call": best(call, seconds)}


def best(call: Callable[[], None], seconds: float) -> float:
    """Return the microseconds of the quickest of many batches."""
    lowest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(200):
            call()
        lowest = min(lowest, (time.perf_counter() - start) / 200)
    return lowest * 1e6


if __name__ == "__main__":
    print(json.dumps({"drmkit": drmkit, "sdk": sdk}[sys.argv[1]](float(sys.argv[2]))))
